/**
 * How often more than usual tests do what chance decides: ROMANCY_TEST_EFFORT=10 has ten times as many schedules, kills
 * and programs. Each run has another seed, so that what one run does not try another does.
 */
export const effort: number = Number(process.env["ROMANCY_TEST_EFFORT"] || 1);

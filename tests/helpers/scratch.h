/* scratch.h - a folder for files that live no longer than a call of a fuzz target: in memory where
 * the machine has such a place. */
#ifndef TEST_HELPERS_SCRATCH_H
#define TEST_HELPERS_SCRATCH_H

/* The folder of this process, made at the first call and removed at exit, where it must be empty.
 * Aborts if it cannot be made. */
const char *test_scratch(void);

#endif

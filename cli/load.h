/* load.h - whether other programs kept the machine busy while something was measured. */
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

typedef struct cli_load {
    double busy, own, at; /* seconds of processors that worked, those of this process, the clock */
} cli_load;

/* What Linux counts, until now. */
cli_load cli_load_now(void);

/* How many processors other programs kept busy on average since then; NAN where the system does not
 * tell, or the time was too short to. */
double cli_load_others(const cli_load *since);

/* A warning where others took enough to change a time. Returns cli_load_others. */
double cli_load_warn(const cli_load *since);

#endif

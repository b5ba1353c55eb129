/* stop.h - signals of long runs: the first SIGINT or SIGTERM stops after a checkpoint, a second one
 * ends at once, SIGUSR1 saves. */
#ifndef CLI_STOP_H
#define CLI_STOP_H

#include <deeper/deeper.h>

/* From now on. A signal that our parent had ignored (nohup, a job in the background of a script)
 * stays ignored. */
void cli_stop_catch(void);

/* The signal that asked to stop, or 0. */
int cli_stop_signal(void);

/* The `control` of long calls: what these signals want. context is not used. */
deeper_control cli_stop_control(void *context);

#endif

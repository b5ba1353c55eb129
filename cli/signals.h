/* signals.h - stopping long work in order: the first interrupt is remembered, a second one ends the process. */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <signal.h>

/* The signal (SIGINT, SIGTERM) that asked to stop, 0: none yet. */
int cli_stop_signal(void);

/* From now on the first SIGINT or SIGTERM is only remembered; a second one ends the process as if it were not caught. */
void cli_stop_catch(void);

/* Catches one signal, unless our parent had ignored it (nohup, a job in the background of a script). */
void cli_signal_catch(int number, void (*handler)(int));

#endif

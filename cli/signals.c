/* signals.c - see signals.h. State is kept here, in one place, because a process has one set of handlers. */
#include "signals.h"

static volatile sig_atomic_t stop_signal;

static void on_stop(int number) {
    if (stop_signal) {
        signal(number, SIG_DFL);
        raise(number);
    }
    stop_signal = number;
}

int cli_stop_signal(void) {
    return stop_signal;
}

void cli_signal_catch(int number, void (*handler)(int)) {
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART }, before;
    sigemptyset(&action.sa_mask);
    if (!sigaction(number, NULL, &before) && before.sa_handler != SIG_IGN)
        sigaction(number, &action, NULL);
}

void cli_stop_catch(void) {
    cli_signal_catch(SIGINT, on_stop);
    cli_signal_catch(SIGTERM, on_stop);
}

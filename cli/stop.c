/* stop.c - see stop.h. */
#include "stop.h"

#include "output.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t stop_signal, save_wanted;

/* The first one stops the run after a checkpoint; a second one ends the process as if it were not
 * caught. */
static void on_stop(int number) {
    if (stop_signal) {
        signal(number, SIG_DFL);
        raise(number);
    }
    stop_signal = number;
}

static void on_save(int number) {
    save_wanted = 1;
}

static void catch_signal(int number, void (*handler)(int)) {
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART }, before;
    sigemptyset(&action.sa_mask);
    if (!sigaction(number, NULL, &before) && before.sa_handler != SIG_IGN)
        sigaction(number, &action, NULL);
}

void cli_stop_catch(void) {
    catch_signal(SIGINT, on_stop);
    catch_signal(SIGTERM, on_stop);
    catch_signal(SIGUSR1, on_save);
}

int cli_stop_signal(void) {
    return stop_signal;
}

deeper_control cli_stop_control(void *context) {
    if (stop_signal) {
        cli_note("stopping, what there is is being saved (a second signal stops at once)");
        return DEEPER_STOP;
    }
    if (!save_wanted)
        return DEEPER_GO_ON;
    save_wanted = 0;
    return DEEPER_SAVE;
}

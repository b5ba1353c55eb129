/* train_rates.c - see train_rates.h. */
#include "train_rates.h"

#include "app/json.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>

enum { EVERY = 4 /* points of the table for people; the page and JSON have all */ };

void cli_rates_begin(cli_rates_progress *progress) {
    cli_progress_begin(&progress->steps, "rates", 0);
    cli_train_progress_begin(&progress->messages);
}

void cli_rates_event(void *context, const deeper_train_event *event) {
    cli_rates_progress *progress = context;
    if (event->kind == DEEPER_TRAIN_STEP)
        cli_progress_show(&progress->steps, event->step, event->epoch_steps);
    else
        cli_train_progress_event(&progress->messages, event);
}

/* Freed by the caller; NULL: out of memory, or there is no rate to go on with. */
static char *next_command(const deeper_rate_search *search, const deeper_train_options *train) {
    deeper_train_options next = *train;
    next.rate = search->rate;
    size_t size = search->rate > 0 ? deeper_train_command(&next, NULL, 0) : 0;
    char *text = size ? malloc(size) : NULL;
    if (text)
        deeper_train_command(&next, text, size);
    return text;
}

static json_t *rate_json(double rate) {
    return rate > 0 ? app_json_real(rate) : json_null();
}

static void print_json(const deeper_rate_search *search, const char *command, const char *page) {
    json_t *points = json_array();
    for (size_t i = 0; i < search->count; i++) {
        const deeper_rate_point *p = &search->points[i];
        json_array_append_new(points, APP_OBJECT(app_real(KEY_learning_rate, p->rate),
                                                 app_real(KEY_loss, p->loss),
                                                 app_real(KEY_smoothed, p->smoothed)));
    }
    cli_print_json(APP_OBJECT(app_value(KEY_learning_rate, rate_json(search->rate)),
                              app_value(KEY_steepest, rate_json(search->steepest)),
                              app_value(KEY_tenth, rate_json(search->tenth)),
                              app_text(KEY_command, command), app_text(KEY_page, page),
                              app_value(KEY_points, points)));
}

static void print_text(const deeper_rate_search *search, const char *command, const char *page) {
    printf("%10s %10s %10s\n", "rate", "loss", "smoothed");
    for (size_t i = 0; i < search->count; i += EVERY)
        printf("%10.2g %10.4f %10.4f\n", search->points[i].rate, search->points[i].loss,
               search->points[i].smoothed);
    if (search->rate > 0) {
        printf("\nsuggested %.2g\n", search->rate);
        printf("          the loss fell fastest at %.2g", search->steepest);
        if (search->tenth > 0)
            printf("; a tenth of where it diverges is %.2g", search->tenth);
        printf("\n");
    }
    if (page)
        printf("curve     %s\n", page);
    if (command)
        printf("next      %s\n", command);
}

int cli_rates_print(const deeper_rate_search *search, const deeper_train_options *train,
                    const char *page) {
    char *command = next_command(search, train);
    (cli_json() ? print_json : print_text)(search, command, page);
    free(command);
    if (search->rate > 0)
        return CLI_DONE;
    return cli_error("the loss did not fall at any rate: look at the labels (deeper info), at the "
                     "pictures (--preview), at --initial");
}

/* train_progress.c - see train_progress.h. It only shows; command_train.c starts and stops the
 * run. */
#include "train_progress.h"

#include "app/json.h"
#include "output.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LINE_SIZE = 256, MIN_BAR = 5, MAX_BAR = 30 };
static const double LIVE_SECONDS = 0.2, PLAIN_SECONDS = 60;
static const double KEPT = 0.95; /* of the running mean at each step: it looks back some 20 steps */

const char *cli_duration(double seconds, char text[32]) {
    if (!isfinite(seconds) || seconds < 0 || seconds > 1e8)
        return strcpy(text, "?");
    long whole = lround(seconds);
    if (whole >= 3600)
        snprintf(text, 32, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    else
        snprintf(text, 32, "%ld:%02ld", whole / 60, whole % 60);
    return text;
}

/* The clock when `seconds` from now have passed: "14:32", with the day where it is not within a
 * day. */
static const char *clock_after(double seconds, char text[32]) {
    struct tm parts;
    if (!isfinite(seconds) || seconds < 0 || seconds > 1e8)
        return strcpy(text, "?");
    time_t end = time(NULL) + (time_t)seconds;
    if (!localtime_r(&end, &parts)
        || !strftime(text, 32, seconds < 86400 ? "%H:%M" : "%a %d %b %H:%M", &parts))
        return strcpy(text, "?");
    return text;
}

/* "0.512/0.733/0.601": a loss per head. */
static const char *losses_text(const double *losses, int heads, char text[64]) {
    int at = 0;
    text[0] = 0;
    for (int i = 0; i < heads && at < 64; i++)
        at += snprintf(text + at, 64 - (size_t)at, "%s%.3f", i ? "/" : "", losses[i]);
    return text;
}

/* "main/aux1/aux2" */
static const char *heads_text(const deeper_train_event *event, char text[64]) {
    int at = 0;
    text[0] = 0;
    for (int i = 0; i < event->heads && at < 64; i++)
        at += snprintf(text + at, 64 - (size_t)at, "%s%s", i ? "/" : "", event->head_names[i]);
    return text;
}

/* ------------------------------------------------------------------------------ within an epoch */

/* "1:12 left, all 42:10 till 14:32, 812 images/s, loss main/aux1/aux2 0.512/0.733/0.601", or
 * without the names of the heads. */
static int rest_text(const cli_train_progress *progress, const deeper_train_event *event,
                     bool named, char rest[LINE_SIZE]) {
    char text[5][64];
    return snprintf(rest, LINE_SIZE, "%s left, all %s till %s, %.0f%s, loss %s%s%s",
                    cli_duration(event->seconds_left_epoch, text[0]),
                    cli_duration(event->seconds_left, text[1]),
                    clock_after(event->seconds_left, text[2]), event->images_per_second,
                    named ? " images/s" : "/s", named ? heads_text(event, text[3]) : "",
                    named ? " " : "", losses_text(progress->losses, event->heads, text[4]));
}

/* "epoch 3/30", or "epoch 1" while how many fit into --minutes is being measured. */
static int epoch_name(const deeper_train_event *event, char *text, size_t size) {
    return event->epochs ? snprintf(text, size, "epoch %d/%d", event->epoch, event->epochs)
                         : snprintf(text, size, "epoch %d", event->epoch);
}

/* "epoch 3/30 [#####.....] " and the rest, without names where the columns do not hold them; the
 * bar takes what is left. After the last step "validating, " is in its place. */
static void show_live(const cli_train_progress *progress, const deeper_train_event *event,
                      int columns) {
    char line[2 * LINE_SIZE], rest[LINE_SIZE], bar[MAX_BAR + 3] = "validating,";
    int head = epoch_name(event, line, sizeof line);
    line[head++] = ' ';
    bool steps = event->step < event->epoch_steps;
    int others = head + (steps ? 2 : (int)strlen(bar))
                 + 2; /* two brackets or the word; a space, the last column */
    int width = columns - others - rest_text(progress, event, true, rest);
    if (width < (steps ? MIN_BAR : 0))
        width = columns - others - rest_text(progress, event, false, rest);
    width = width < MIN_BAR ? MIN_BAR : width > MAX_BAR ? MAX_BAR : width;
    if (steps) {
        int done = (int)((double)event->step / (double)event->epoch_steps * width + 0.5);
        memset(bar, '#', (size_t)done + 1);
        memset(bar + done + 1, '.', (size_t)(width - done));
        bar[0] = '[';
        memcpy(bar + width + 1, "]", 2);
    }
    snprintf(line + head, sizeof line - (size_t)head, "%s %s", bar, rest);
    cli_live(line);
}

static void show_plain(const cli_train_progress *progress, const deeper_train_event *event) {
    char text[4][64], epoch[32];
    epoch_name(event, epoch, sizeof epoch);
    cli_note("%s, step %llu of %llu: loss %s %s, %.1f images/s, %s to the end of the epoch, %s of "
             "the run",
             epoch, (unsigned long long)event->step, (unsigned long long)event->epoch_steps,
             heads_text(event, text[0]), losses_text(progress->losses, event->heads, text[1]),
             event->images_per_second, cli_duration(event->seconds_left_epoch, text[2]),
             cli_duration(event->seconds_left, text[3]));
}

static void step_done(cli_train_progress *progress, const deeper_train_event *event) {
    int columns;
    double now = cli_now();
    for (int i = 0; i < event->heads; i++) {
        double *mean = &progress->losses[i];
        /* The first step, and the first after a NaN, begins the mean anew. */
        *mean = progress->epoch && isfinite(*mean) ? KEPT * *mean + (1 - KEPT) * event->losses[i]
                                                   : event->losses[i];
    }
    progress->epoch = event->epoch;
    bool live = cli_live_possible(&columns);
    bool last =
        live && event->step == event->epoch_steps; /* this line stays for all of the validation */
    if (!last && now - progress->shown < (live ? LIVE_SECONDS : PLAIN_SECONDS))
        return;
    progress->shown = now;
    if (live)
        show_live(progress, event, columns);
    else
        show_plain(progress, event);
}

/* ------------------------------------------------------------------------------- after an epoch */

/* By head: "main", "aux1", "aux2". */
static json_t *losses_json(const deeper_train_event *event, const double *losses) {
    static const app_key heads[] = { KEY_main, KEY_aux1, KEY_aux2 };
    json_t *object = json_object();
    for (int i = 0; i < event->heads; i++)
        for (size_t k = 0; k < sizeof heads / sizeof *heads; k++)
            if (!strcmp(event->head_names[i], app_key_name(heads[k])))
                app_put(object, app_real(heads[k], losses[i]));
    return object;
}

static void epoch_json(const deeper_train_event *event) {
    cli_print_json(APP_OBJECT(
        app_whole(KEY_epoch, event->epoch), app_whole(KEY_epochs, event->epochs),
        app_whole(KEY_epoch_steps, event->epoch_steps), app_real(KEY_train_loss, event->loss),
        app_value(KEY_train_losses, losses_json(event, event->losses)),
        app_real(KEY_train_top1, event->top1),
        app_value(KEY_val_losses, losses_json(event, event->val_losses)),
        app_real(KEY_val_top1, event->val_top1), app_real(KEY_val_top5, event->val_top5),
        app_real(KEY_learning_rate, event->rate), app_real(KEY_gradient_norm, event->gradient_norm),
        app_real(KEY_images_per_second, event->images_per_second),
        app_whole(KEY_unreadable, event->unreadable), app_truth(KEY_best, event->best),
        app_real(KEY_seconds_left, event->seconds_left)));
}

static void epoch_text(const deeper_train_event *event) {
    char text[4][64];
    char parts[160] = "";
    if (event->heads > 1)
        snprintf(parts, sizeof parts, " (%s %s)", heads_text(event, text[0]),
                 losses_text(event->losses, event->heads, text[1]));
    printf("epoch %*d/%d  loss %.3f%s  top-1 %5.2f %%   validation: loss %s  top-1 %5.2f %%  top-5 "
           "%5.2f %%   "
           "%.1f images/s, rate %.3g, %s left%s\n",
           snprintf(NULL, 0, "%d", event->epochs), event->epoch, event->epochs, event->loss, parts,
           100 * event->top1, losses_text(event->val_losses, event->heads, text[2]),
           100 * event->val_top1, 100 * event->val_top5, event->images_per_second, event->rate,
           cli_duration(event->seconds_left, text[3]), event->best ? "  (best)" : "");
    cli_flush();
}

static void epoch_done(cli_train_progress *progress, const deeper_train_event *event) {
    cli_progress_end(); /* the live line would stand in the way on a shared terminal */
    (cli_json() ? epoch_json : epoch_text)(event);
    progress->shown = cli_now();
}

/* A message as {"KIND": "..."} with --json; for people it went to stderr already. */
static void message_json(app_key kind, const char *message) {
    if (cli_json())
        cli_print_json(APP_OBJECT(app_text(kind, message)));
}

void cli_train_progress_begin(cli_train_progress *progress) {
    *progress = (cli_train_progress){ .shown = cli_now() };
}

void cli_train_progress_event(void *context, const deeper_train_event *event) {
    cli_train_progress *progress = context;
    switch (event->kind) {
    case DEEPER_TRAIN_STEP:
        step_done(progress, event);
        break;
    case DEEPER_TRAIN_EPOCH:
        epoch_done(progress, event);
        break;
    case DEEPER_TRAIN_WARNING:
        cli_warning("%s", event->message);
        message_json(KEY_warning, event->message);
        break;
    case DEEPER_TRAIN_UNREADABLE:
        cli_error("%s", event->message);
        message_json(KEY_error, event->message);
        break;
    case DEEPER_TRAIN_NOTE:
        cli_note("%s", event->message);
        break;
    }
}

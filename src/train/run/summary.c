/* summary.c - the command of a run, its facts, history, and the worst mistakes as thumbnails. */
#include "train/run/summary.h"

#include "report/page.h"
#include "report/thumbnail.h"
#include "train/options/options.h"
#include "train/run/lists.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { VALUE = 512, TEXT_LIMIT = 1 << 20, MAX_FACTS = 64 };

/* What the report points to. */
typedef struct summary {
    dp_report report;
    dp_buffer command, texts; /* texts: of the facts, one after the other */
    const char *facts[MAX_FACTS][2];
    size_t places[MAX_FACTS][2]; /* where each text begins, until all are there */
    const char **classes;
    dp_report_mistake mistakes[DP_MISTAKES];
    dp_report_measured measured;
    char title[VALUE];
} summary;

static void close(summary *s, const deeper_allocator *allocator) {
    for (size_t i = 0; i < s->report.mistake_count; i++)
        dp_image_free(&s->mistakes[i].thumbnail);
    dp_buffer_free(&s->command);
    dp_buffer_free(&s->texts);
    dp_free(allocator, s->classes);
}

static void add_fact(summary *s, const char *name, const char *value) {
    const char *texts[] = { name, value };
    if (s->report.fact_count == MAX_FACTS)
        return;
    for (int i = 0; i < 2; i++) {
        s->places[s->report.fact_count][i] = s->texts.size;
        dp_buffer_append(&s->texts, texts[i], strlen(texts[i]) + 1);
    }
    s->report.fact_count++;
}

/* Defaults that the run chose for itself are shown as chosen; a default of 0 that is left says that
 * there is none of it. */
static void describe_options(summary *s, const dp_run_view *v) {
    const char *word;
    char value[VALUE];
    bool set;
    deeper_train_options chosen = *v->options->resolved;
    chosen.threads = v->learner->threads;
    chosen.readers = v->readers;
    chosen.out = NULL; /* where a run lies and how often it was interrupted is no fact of it */
    chosen.resume = 0;
    dp_record_command(&s->command, v->options);
    for (size_t i = 0; dp_train_option_text(&chosen, i, &word, value, sizeof value, &set); i++)
        if (value[0] && (set || strcmp(value, "0") != 0))
            add_fact(s, word, value);
}

static void describe_data(summary *s, const dp_run_view *v) {
    char value[VALUE];
    const dp_model *model = v->network->model;
    snprintf(value, sizeof value, "%016llx", (unsigned long long)v->pictures->fingerprint);
    add_fact(s, "data fingerprint", value);
    snprintf(value, sizeof value, "%zu to train on, %zu to validate on, %d classes",
             v->pictures->train.dataset->image_count, v->pictures->val.dataset->image_count,
             model->classes);
    add_fact(s, "pictures", value);
    snprintf(value, sizeof value, "%s:%s", model->architecture, model->options);
    add_fact(s, "network", value);
    dp_preprocess_describe(&model->preprocess, value, sizeof value);
    add_fact(s, "preprocessing", value);
    snprintf(value, sizeof value, "deeper %s, %d threads of %s", DP_VERSION, v->learner->threads,
             dp_isa_name(v->learner->isa));
    add_fact(s, "made by", value);
}

static void show_mistakes(summary *s, const dp_run_view *view) {
    const dp_validation *v = view->validation;
    const dp_dataset *set = view->pictures->val.dataset;
    for (size_t i = 0; i < v->mistakes.count; i++) {
        const dp_mistake *mistake = &v->mistakes.items[i];
        dp_report_mistake *shown = &s->mistakes[s->report.mistake_count];
        *shown = (dp_report_mistake){ .path = dp_dataset_name(set, mistake->image),
                                      .label = mistake->label,
                                      .predicted = mistake->predicted,
                                      .probability = mistake->probability };
        dp_thumbnail(&shown->thumbnail, set, mistake->image, v->allocator);
        s->report.mistake_count += shown->thumbnail.pixels != NULL;
    }
}

static deeper_status fill(summary *s, const dp_run_view *view, const deeper_allocator *allocator,
                          deeper_error *error) {
    const dp_validation *v = view->validation;
    const deeper_train_options *options = view->options->given;
    const dp_labels *labels = &view->network->model->labels;
    dp_report *r = &s->report;
    char data[DP_PAGE_NAME], init[DP_PAGE_NAME];
    snprintf(s->title, sizeof s->title, "%s, %s%.200s", dp_page_name(options->data, data),
             view->network->fine_tuned ? "fine-tuned from " : "",
             view->network->fine_tuned ? dp_page_name(options->init, init) : options->architecture);
    describe_options(s, view);
    describe_data(s, view);
    s->classes = dp_alloc(allocator, labels->count, sizeof *s->classes);
    if (s->command.failed || s->texts.failed || !s->classes)
        return dp_fail_memory(error, "the report");
    for (size_t i = 0; i < labels->count; i++)
        s->classes[i] = labels->items[i].name;
    for (size_t i = 0; i < r->fact_count; i++)
        for (int k = 0; k < 2; k++)
            s->facts[i][k] = s->texts.data + s->places[i][k];
    show_mistakes(s, view);
    r->title = s->title;
    r->command = s->command.data;
    r->facts = s->facts;
    r->heads = view->learner->nodes.heads;
    for (int h = 0; h < r->heads; h++)
        r->head_names[h] = dp_head_name(view->learner->nodes.head[h]);
    r->epochs = view->progress->history;
    r->epoch_count = view->progress->history_count;
    r->probe_images = view->progress->probe_images;
    r->probe_top1 = view->progress->probe_top1;
    r->warnings = view->progress->warnings;
    r->warning_count = view->progress->warning_count;
    r->classes = s->classes;
    r->class_count = labels->count;
    r->confusion = v->confusion;
    s->measured = (dp_report_measured){ .images = v->images,
                                        .top1 = (uint64_t)llround(v->top1 * (double)v->images),
                                        .top5 = (uint64_t)llround(v->top5 * (double)v->images),
                                        .loss = v->losses[0],
                                        .calibration = v->calibration };
    r->measured = &s->measured;
    r->mistakes = s->mistakes;
    return DEEPER_OK;
}

static deeper_status write_all(const summary *s, const dp_run_folder *f, double started,
                               deeper_error *error) {
    char *csv = dp_folder_path(f, "log.csv"), *html = dp_folder_path(f, "report.html");
    char *events = dp_folder_path(f, "events.out.tfevents.deeper");
    deeper_status status = csv && html && events ? DEEPER_OK : dp_fail_memory(error, "a path");
    if (status == DEEPER_OK)
        status = dp_report_write_csv(&s->report, csv, f->allocator, error);
    if (status == DEEPER_OK)
        status = dp_report_write_html(&s->report, html, f->allocator, error);
    if (status == DEEPER_OK)
        status = dp_report_write_events(&s->report, started, events, f->allocator, error);
    dp_free(f->allocator, csv);
    dp_free(f->allocator, html);
    dp_free(f->allocator, events);
    return status;
}

deeper_status dp_summary_write(const dp_run_folder *folder, const dp_run_view *view,
                               deeper_error *error) {
    const deeper_allocator *allocator = folder->allocator;
    summary *s = dp_alloc(allocator, 1, sizeof *s);
    if (!s)
        return dp_fail_memory(error, "the report");
    dp_buffer_init(&s->command, allocator, TEXT_LIMIT);
    dp_buffer_init(&s->texts, allocator, TEXT_LIMIT);
    deeper_status status = fill(s, view, allocator, error);
    if (status == DEEPER_OK)
        status = write_all(s, folder, view->progress->started, error);
    if (status == DEEPER_OK)
        status = dp_lists_predictions(folder, &view->pictures->val, &view->network->model->labels,
                                      view->validation, error);
    close(s, allocator);
    dp_free(allocator, s);
    return status;
}

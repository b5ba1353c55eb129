/* scores.c - see scores.h. The columns of JSON and CSV are one list, so that they cannot differ. */
#include "scores.h"

#include "app/json.h"
#include "options.h"
#include "output.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REAL_BELOW 0.05 /* deeper_score says what p means */

enum { NAME_WIDTH = 28, FIELDS = 24 };

typedef struct field {
    app_key key;
    enum { TEXT, WHOLE, NUMBER, TRUTH } kind;
    const char *text;
    double value;
} field;

/* The row as named values; NULL rows of scores do not exist. Returns how many. */
static size_t list_fields(const deeper_score *row, field fields[FIELDS]) {
    double images = (double)row->images;
    const field all[] = {
        { KEY_model, TEXT, row->model ? row->model : "all", 0 },
        { KEY_models, WHOLE, NULL, row->models },
        { KEY_crops, WHOLE, NULL, row->crops },
        { KEY_cost, WHOLE, NULL, (double)row->models * row->crops },
        { KEY_base, TRUTH, NULL, row->base },
        { KEY_images, WHOLE, NULL, images },
        { KEY_top1, NUMBER, NULL, (double)row->top1 / images },
        { KEY_top1_low, NUMBER, NULL, row->top1_interval[0] },
        { KEY_top1_high, NUMBER, NULL, row->top1_interval[1] },
        { KEY_top1_gain, NUMBER, NULL, row->top1_gain },
        { KEY_top1_p, NUMBER, NULL, row->top1_p },
        { KEY_top1_real, TRUTH, NULL, row->top1_p < REAL_BELOW },
        { KEY_top5, NUMBER, NULL, (double)row->top5 / images },
        { KEY_top5_low, NUMBER, NULL, row->top5_interval[0] },
        { KEY_top5_high, NUMBER, NULL, row->top5_interval[1] },
        { KEY_top5_gain, NUMBER, NULL, row->top5_gain },
        { KEY_top5_p, NUMBER, NULL, row->top5_p },
        { KEY_top5_real, TRUTH, NULL, row->top5_p < REAL_BELOW },
        { KEY_loss, NUMBER, NULL, row->loss },
        { KEY_calibration_error, NUMBER, NULL, row->calibration_error },
    };
    memcpy(fields, all, sizeof all);
    return sizeof all / sizeof *all;
}

static void add_field(json_t *object, const field *f) {
    json_t *value = f->kind == TEXT    ? app_json_text(f->text)
                    : f->kind == TRUTH ? json_boolean(f->value != 0)
                    : f->kind == WHOLE ? json_integer((json_int_t)f->value)
                                       : app_json_real(f->value);
    app_put(object, app_value(f->key, value));
}

static json_t *row_json(const deeper_score *row) {
    field fields[FIELDS];
    size_t count = list_fields(row, fields);
    json_t *object = json_object();
    for (size_t i = 0; i < count; i++)
        add_field(object, &fields[i]);
    return object;
}

static deeper_score row_at(const deeper_scores *scores, size_t index) {
    deeper_score row = { 0 };
    deeper_scores_row(scores, index, &row, sizeof row, NULL);
    return row;
}

/* ------------------------------------------------------------------------------------ one model */

static void print_share(const char *name, uint64_t hits, const deeper_score *row,
                        const double interval[2]) {
    printf("%-9s %.2f %%  (95 %%: %.2f to %.2f)\n", name, 100 * (double)hits / (double)row->images,
           100 * interval[0], 100 * interval[1]);
}

static deeper_score last_row(const deeper_scores *scores) {
    return row_at(scores, deeper_scores_rows(scores) - 1);
}

static json_t *result_json(const deeper_scores *scores, const char *what, const char *combine) {
    deeper_score row = last_row(scores);
    json_t *object = row_json(&row);
    app_put(object, app_text(KEY_model, what));
    app_put(object, app_text(KEY_data, deeper_scores_data(scores)));
    app_put(object, app_whole(KEY_unreadable, deeper_scores_unreadable(scores)));
    app_put(object, app_text(KEY_combine, combine));
    return object;
}

void cli_scores_print(const deeper_scores *scores, const char *what, const char *combine,
                      int threads) {
    deeper_score row = last_row(scores);
    uint64_t unreadable = deeper_scores_unreadable(scores);
    double seconds = deeper_scores_seconds(scores),
           speed = seconds > 0 ? (double)row.images / seconds : 0;
    if (cli_json()) {
        json_t *object = result_json(scores, what, combine);
        if (threads) {
            app_put(object, app_real(KEY_seconds, seconds));
            app_put(object, app_real(KEY_images_per_second, speed));
            app_put(object, app_whole(KEY_threads, threads));
        }
        cli_print_json(object);
        return;
    }
    printf("pictures  %llu", (unsigned long long)row.images);
    if (unreadable)
        printf(" (and %llu that could not be read)", (unsigned long long)unreadable);
    if (row.models > 1)
        printf("\nmodels    %d, averaged", row.models);
    putchar('\n');
    print_share("top-1", row.top1, &row, row.top1_interval);
    print_share("top-5", row.top5, &row, row.top5_interval);
    printf("loss      %.4f\ncalibr.   %.2f %% (mean gap between confidence and accuracy)\n",
           row.loss, 100 * row.calibration_error);
    if (threads)
        printf("speed     %.1f images/s\n", speed);
}

/* -------------------------------------------------------------------------------- saved answers */

static void print_about(const deeper_scores *scores, uint64_t bytes, int shard, int shards) {
    deeper_score first = row_at(scores, 0), row;
    char text[CLI_NUMBER_SIZE];
    printf("answers   %s, the softmax of every crop\ndata      ", cli_bytes(bytes, text));
    cli_print_text(deeper_scores_data(scores));
    printf("\nshard     %d of %d\nclasses   %zu\ncrops    ", shard, shards,
           deeper_scores_classes(scores));
    for (size_t i = 0;
         i < deeper_scores_rows(scores) && (row = row_at(scores, i)).model == first.model; i++)
        printf("%s%d", i ? ", " : " ", row.crops);
    for (size_t i = 0; i < deeper_scores_rows(scores); i++) {
        row = row_at(scores, i);
        if (!row.model || row.crops != first.crops)
            continue;
        printf("\nmodel     ");
        cli_print_text(row.model);
    }
    putchar('\n');
}

void cli_scores_about(const deeper_scores *scores, const char *path, uint64_t bytes) {
    int shards = 0, shard = deeper_scores_shard(scores, &shards);
    if (!cli_json()) {
        print_about(scores, bytes, shard, shards);
        cli_scores_print(scores, path, "mean", 0);
        puts("sound");
        return;
    }
    json_t *object = result_json(scores, path, "mean"), *names = json_array();
    for (size_t i = 0; i < deeper_scores_rows(scores); i++) {
        deeper_score row = row_at(scores, i);
        if (row.model && row.crops == 1)
            json_array_append_new(names, app_json_text(row.model));
    }
    json_object_del(object, app_key_name(KEY_model));
    json_object_update_new(object,
                           APP_OBJECT(app_text(KEY_kind, "answers"), app_text(KEY_path, path),
                                      app_whole(KEY_bytes, bytes),
                                      app_whole(KEY_classes, deeper_scores_classes(scores)),
                                      app_whole(KEY_shard, shard), app_whole(KEY_shards, shards),
                                      app_value(KEY_model_names, names), app_truth(KEY_sound, 1)));
    cli_print_json(object);
}

/* ---------------------------------------------------------------------------------------- table */

/* "+0.92 *", what the error is above or below the base's, into `text`. */
static const char *gain_text(char text[CLI_NUMBER_SIZE], const deeper_score *row, double gain,
                             double p) {
    if (row->base)
        return "base";
    snprintf(text, CLI_NUMBER_SIZE, "%+.2f%s", 0.0 - 100 * gain, p < REAL_BELOW ? " *" : "");
    return text;
}

static void print_error(uint64_t hits, const deeper_score *row, const double interval[2],
                        double gain, double p) {
    char text[CLI_NUMBER_SIZE];
    printf("  %6.2f %% (%5.2f to %5.2f) %-8s", 100 - 100 * (double)hits / (double)row->images,
           100 - 100 * interval[1], 100 - 100 * interval[0], gain_text(text, row, gain, p));
}

/* The end of a name tells models apart; that of the model in a run's folder does not. */
static void print_name(const char *path) {
    static const char usual[] = "/model.safetensors";
    char name[4096];
    snprintf(name, sizeof name, "%s", path);
    size_t length = strlen(name), end = sizeof usual - 1;
    if (length > end && !strcmp(name + length - end, usual))
        name[length -= end] = 0;
    if (length <= NAME_WIDTH) {
        cli_print_text(name);
        printf("%*s", (int)(NAME_WIDTH - length), "");
        return;
    }
    fputs("...", stdout);
    cli_print_text(name + length - NAME_WIDTH + 3);
}

void cli_scores_table(const deeper_scores *scores) {
    size_t rows = deeper_scores_rows(scores);
    if (!cli_json())
        printf("%-*s models crops  cost  top-1 error (95 %%)       to base    top-5 error (95 %%)  "
               "     to base\n",
               NAME_WIDTH, "model");
    for (size_t i = 0; i < rows; i++) {
        deeper_score row = row_at(scores, i);
        if (cli_json()) {
            cli_print_json(row_json(&row));
            continue;
        }
        print_name(row.model ? row.model : "all, averaged");
        printf(" %6d %5d %5d", row.models, row.crops, row.models * row.crops);
        print_error(row.top1, &row, row.top1_interval, row.top1_gain, row.top1_p);
        print_error(row.top5, &row, row.top5_interval, row.top5_gain, row.top5_p);
        putchar('\n');
    }
    if (cli_json())
        return;
    deeper_score last = last_row(scores);
    printf("%llu pictures. cost: forward passes a picture. * a real difference: p < %.2f in "
           "McNemar's exact test on the same "
           "pictures\n",
           (unsigned long long)last.images, REAL_BELOW);
}

/* ------------------------------------------------------------------------------------------ CSV */

static void write_field(FILE *file, const field *f, const char *before) {
    fputs(before, file);
    if (f->kind == TEXT)
        dp_put_csv_cell(cli_file_sink, file, f->text);
    else
        fprintf(file, f->kind == NUMBER ? "%.6g" : "%.0f", f->value);
}

int cli_scores_csv(const deeper_scores *scores, const char *path) {
    char *part = NULL; /* until it is whole */
    if (asprintf(&part, "%s.part", path) < 0)
        return cli_error("out of memory");
    FILE *file = fopen(part, "w");
    if (!file) {
        cli_error("%s: cannot write: %s", path, strerror(errno));
        free(part);
        return CLI_FAILED;
    }
    for (size_t r = 0; r < deeper_scores_rows(scores); r++) {
        field fields[FIELDS];
        deeper_score row = row_at(scores, r);
        size_t count = list_fields(&row, fields);
        for (size_t i = 0; r == 0 && i < count; i++)
            fprintf(file, "%s%s", i ? "," : "", app_key_name(fields[i].key));
        putc('\n', file);
        for (size_t i = 0; i < count; i++)
            write_field(file, &fields[i], i ? "," : "");
    }
    putc('\n', file);
    int code = CLI_DONE;
    errno = 0;
    bool lost = fflush(file) || ferror(file);
    if (!lost)
        lost = fsync(fileno(file)) || rename(part, path);
    if (lost) {
        code = cli_error("%s: cannot write: %s", path, strerror(errno ? errno : EIO));
        remove(part);
    }
    fclose(file);
    free(part);
    return code;
}

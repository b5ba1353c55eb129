/* tuning.c - see tuning.h. What a file says is held against what the planner could have chosen
 * itself, so that a stranger's file can at worst choose a slow way. */
#include "formats/tuning.h"

#include "base/files.h"
#include "model/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    VERSION = 1,
    DEPTH = 3, /* { [ { */
    FILE_LIMIT = 2 << 20,
    SIDE_MAX = 1 << 20
};

static const char *const REMEDY = "measure it anew, or use no tuning";

/* A whole number of an object within [least, most]; false: it is not there or is none. */
static bool take(const json_t *object, const char *field, int min, int max, int *value) {
    const json_t *member = json_object_get(object, field);
    json_int_t number = json_integer_value(member);
    if (!json_is_integer(member) || number < min || number > max)
        return false;
    *value = (int)number;
    return true;
}

static bool take_isa(const json_t *object, dp_isa *isa) {
    const char *name = json_string_value(json_object_get(object, "isa"));
    for (int i = 0; name && i < DP_ISA_COUNT; i++)
        if (strcmp(name, dp_isa_name((dp_isa)i)) == 0) {
            *isa = (dp_isa)i;
            return true;
        }
    return false;
}

static bool take_key(const json_t *object, dp_tuning_key *key) {
    const char *precision = json_string_value(json_object_get(object, "precision"));
    return precision && strcmp(precision, "fp32") == 0 && take_isa(object, &key->isa)
           && take(object, "channels", 1, SIDE_MAX, &key->channels)
           && take(object, "outputs", 1, SIDE_MAX, &key->outputs)
           && take(object, "height", 1, SIDE_MAX, &key->height)
           && take(object, "width", 1, SIDE_MAX, &key->width)
           && take(object, "taps", DP_WINOGRAD_TAPS_MIN, DP_WINOGRAD_TAPS_MAX, &key->taps)
           && take(object, "phases", 1, 2, &key->phases);
}

static bool take_choice(const json_t *object, dp_tuning_choice *choice) {
    const json_t *even = json_object_get(object, "even");
    choice->even = json_is_true(even);
    return json_is_boolean(even) && take(object, "points", 0, DP_WINOGRAD_POINTS, &choice->points)
           && take(object, "panel", 1, DP_PANEL_BLOCKS, &choice->panel);
}

/* Whether the planner could choose so. Of an instruction set that this build does not have nothing
 * is ever asked. */
static bool possible(const dp_tuned *tuned) {
    dp_tuning_choice candidates[DP_TUNING_CANDIDATES];
    int count =
        dp_kernels_for(tuned->key.isa) ? dp_winograd_candidates(candidates, &tuned->key) : 0;
    for (int i = 0; i < count; i++)
        if (dp_tuning_same_choice(&candidates[i], &tuned->choice))
            return true;
    return !dp_kernels_for(tuned->key.isa);
}

static deeper_status take_all(dp_tuning *tuning, const json_t *root, const char *name,
                              deeper_error *error) {
    const json_t *list = json_object_get(root, "convolutions");
    if (!json_is_array(list))
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: a tuning without its list of convolutions; %s", name, REMEDY);
    if (json_array_size(list) > DP_TUNING_MAX)
        return dp_fail(error, DEEPER_ERROR_LIMIT,
                       "%s: more than the %d convolutions that deeper reads; %s", name,
                       DP_TUNING_MAX, REMEDY);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *object = json_array_get(list, i);
        dp_tuned tuned;
        memset(&tuned, 0, sizeof tuned);
        if (!take_key(object, &tuned.key) || !take_choice(object, &tuned.choice)
            || !possible(&tuned))
            return dp_fail(error, DEEPER_ERROR_FORMAT,
                           "%s: convolution %zu is not as deeper writes it; %s", name, i + 1,
                           REMEDY);
        if (dp_tuning_find(tuning, &tuned.key))
            return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: convolution %zu is there twice; %s",
                           name, i + 1, REMEDY);
        DP_TRY(dp_tuning_put(tuning, &tuned, error));
    }
    return DEEPER_OK;
}

/* machine: what it must be of, NULL: any. measured: receives what it is of, or NULL. */
static deeper_status read_root(dp_tuning *tuning, const json_t *root, const char *name,
                               const char *machine, char *measured, deeper_error *error) {
    const json_t *version = json_object_get(root, "deeper_tuning");
    const char *named = json_string_value(json_object_get(root, "machine"));
    if (!json_is_integer(version))
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: no tuning; %s", name, REMEDY);
    if (json_integer_value(version) != VERSION)
        return dp_fail(
            error, DEEPER_ERROR_MISMATCH,
            "%s: not used: of version %lld of its format, this deeper has %d; measure it anew",
            name, (long long)json_integer_value(version), VERSION);
    if (!named)
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: a tuning that does not name its machine; %s", name, REMEDY);
    if (measured)
        snprintf(measured, DP_MACHINE_SIZE, "%s", named);
    if (machine && strcmp(named, machine) != 0)
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "%s: not used: measured on another machine, %.80s; measure it anew here",
                       name, named);
    return take_all(tuning, root, name, error);
}

static deeper_status parse(dp_tuning *tuning, const void *bytes, size_t size, const char *name,
                           const char *machine, char *measured, deeper_error *error) {
    json_t *root = NULL;
    if (size > FILE_LIMIT)
        return dp_fail(error, DEEPER_ERROR_LIMIT, "%s: larger than a tuning can be; %s", name,
                       REMEDY);
    deeper_status status = dp_json_parse(&root, bytes, size, DEPTH, name, "the tuning", 0, error);
    if (status != DEEPER_OK)
        return status == DEEPER_ERROR_FORMAT && error
                   ? dp_fail_at(error, status, error->offset, "%s; %s", error->message, REMEDY)
                   : status;
    status = read_root(tuning, root, name, machine, measured, error);
    json_decref(root);
    return status;
}

deeper_status dp_tuning_parse(dp_tuning *tuning, const void *bytes, size_t size, const char *name,
                              const char *machine, const deeper_allocator *allocator,
                              deeper_error *error) {
    *tuning = (dp_tuning){ .allocator = allocator };
    return parse(tuning, bytes, size, name, machine, NULL, error);
}

static deeper_status read_file(dp_tuning *tuning, const char *path, const char *machine,
                               char *measured, const deeper_allocator *allocator,
                               deeper_error *error) {
    void *data = NULL;
    size_t size = 0;
    *tuning = (dp_tuning){ .allocator = allocator };
    DP_TRY(dp_file_read(&data, &size, path, FILE_LIMIT, allocator, error));
    deeper_status status = parse(tuning, data, size, path, machine, measured, error);
    dp_free(allocator, data);
    return status;
}

deeper_status dp_tuning_read(dp_tuning *tuning, const char *path, const deeper_allocator *allocator,
                             deeper_error *error) {
    char machine[DP_MACHINE_SIZE];
    return read_file(tuning, path, dp_machine_text(machine), NULL, allocator, error);
}

deeper_status dp_tuning_examine(dp_tuning *tuning, char machine[DP_MACHINE_SIZE], const char *path,
                                const deeper_allocator *allocator, deeper_error *error) {
    return read_file(tuning, path, NULL, machine, allocator, error);
}

deeper_status dp_tuning_read_old(dp_tuning *tuning, const char *path,
                                 const deeper_allocator *allocator, deeper_error *error) {
    *tuning = (dp_tuning){ .allocator = allocator };
    if (dp_is_folder(path) < 0 && errno == ENOENT)
        return DEEPER_OK;
    deeper_status status = dp_tuning_read(tuning, path, allocator, error);
    if (status != DEEPER_ERROR_MISMATCH && status != DEEPER_ERROR_FORMAT
        && status != DEEPER_ERROR_LIMIT)
        return status;
    dp_tuning_free(tuning);
    return DEEPER_OK;
}

void dp_tuning_print(const dp_tuning *tuning, const char *machine, dp_buffer *text) {
    json_t *name = json_string(machine);
    char *quoted = name ? json_dumps(name, JSON_ENCODE_ANY) : NULL;
    text->failed |= !quoted;
    dp_buffer_printf(text, "{\"deeper_tuning\": %d, \"machine\": %s, \"convolutions\": [", VERSION,
                     quoted ? quoted : "");
    free(quoted);
    json_decref(name);
    for (size_t i = 0; i < tuning->count; i++) {
        const dp_tuning_key *k = &tuning->items[i].key;
        const dp_tuning_choice *c = &tuning->items[i].choice;
        dp_buffer_printf(text,
                         "%s\n{\"isa\": \"%s\", \"precision\": \"fp32\", \"channels\": %d, "
                         "\"outputs\": %d, \"height\": %d, "
                         "\"width\": %d, \"taps\": %d, \"phases\": %d, \"points\": %d, \"even\": "
                         "%s, \"panel\": %d}",
                         i ? "," : "", dp_isa_name(k->isa), k->channels, k->outputs, k->height,
                         k->width, k->taps, k->phases, c->points, c->even ? "true" : "false",
                         c->panel);
    }
    dp_buffer_printf(text, "\n]}\n");
}

static deeper_status write_file(const dp_tuning *tuning, const char *path, deeper_error *error) {
    char machine[DP_MACHINE_SIZE];
    dp_writer *writer = NULL;
    dp_buffer text;
    dp_buffer_init(&text, tuning->allocator, FILE_LIMIT);
    dp_tuning_print(tuning, dp_machine_text(machine), &text);
    deeper_status status = text.failed ? dp_fail_memory(error, "the text of a tuning")
                                       : dp_writer_open(&writer, path, tuning->allocator, error);
    if (status == DEEPER_OK) {
        dp_writer_put(writer, text.data, text.size);
        status = dp_writer_commit(writer, error);
    }
    dp_buffer_free(&text);
    return status;
}

/* What the file has and the tuning, whose choices go before. */
static deeper_status join(dp_tuning *all, const dp_tuning *tuning, const char *path,
                          deeper_error *error) {
    DP_TRY(dp_tuning_read_old(all, path, tuning->allocator, error));
    for (size_t i = 0; i < tuning->count; i++)
        DP_TRY(dp_tuning_put(all, &tuning->items[i], error));
    return write_file(all, path, error);
}

deeper_status dp_tuning_join(const dp_tuning *tuning, const char *path, deeper_error *error) {
    dp_tuning all = { 0 };
    int lock;
    DP_TRY(dp_folder_lock(&lock, path, tuning->allocator, error));
    deeper_status status = join(&all, tuning, path, error);
    dp_folder_unlock(lock);
    dp_tuning_free(&all);
    return status;
}

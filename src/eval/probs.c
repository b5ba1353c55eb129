/* probs.c - the header as JSON and back, records, and the shards of one evaluation made one
 * file. */
#include "eval/probs.h"

#include "base/files.h"
#include "base/text.h"
#include "image/crops.h"
#include "model/json.h"
#include "model/labels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    JSON_DEPTH = 4,
    HEX = 16,
    SYNC_EVERY = 64,
    PLAIN_TEXT = 1024,
    LIST = 128,
    SHARD_DIGITS = 12
};

/* A record as it is stored, before its floats. */
typedef struct head {
    uint64_t picture, label, unreadable, none;
} head;

struct dp_probs {
    const deeper_allocator *allocator;
    dp_journal *journal;
    json_t *header; /* texts of `about` live in it */
    dp_probs_about about;
    uint64_t begin, end;
    size_t floats; /* of one model in a record */
    head *record;  /* followed by the floats */
};

void dp_probs_range(const dp_probs_about *about, uint64_t *begin, uint64_t *end) {
    uint64_t whole = about->pictures / (uint64_t)about->shards,
             rest = about->pictures % (uint64_t)about->shards;
    uint64_t before = (uint64_t)about->shard - 1, after = (uint64_t)about->shard;
    *begin = whole * before + rest * before / (uint64_t)about->shards;
    *end = whole * after + rest * after / (uint64_t)about->shards;
}

/* --------------------------------------------------------------------------------------- header */

static json_t *hex(uint64_t value) {
    return json_sprintf("%016llx", (unsigned long long)value);
}

/* Text for people; a path that is no UTF-8 is shortened to what a line may have, its odd bytes as
 * '?'. */
static json_t *plain_text(const char *text) {
    if (dp_text_clean(text, strlen(text), false))
        return json_string(text);
    char kept[PLAIN_TEXT];
    snprintf(kept, sizeof kept, "%s", text);
    for (char *at = kept; *at; at++)
        if ((unsigned char)*at >= 0x7F || (unsigned char)*at < ' ')
            *at = '?';
    return json_string(kept);
}

static json_t *describe_models(const dp_probs_about *about) {
    json_t *list = json_array();
    int failed = list == NULL;
    for (int m = 0; m < about->models && !failed; m++)
        failed =
            json_array_append_new(list, json_pack("{s:o, s:o}", "name", plain_text(about->names[m]),
                                                  "weights", hex(about->weights[m])));
    if (!failed)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *describe_labels(const dp_labels *labels) {
    char *text = dp_labels_to_json(labels);
    json_t *list = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    return list;
}

/* The header's text (free() it), NULL if memory is out. */
static char *describe(const dp_probs_about *about) {
    json_t *object =
        json_pack("{s:s, s:o, s:I, s:i, s:o, s:o, s:o, s:I, s:i, s:i}", "version", DP_VERSION,
                  "models", describe_models(about), "classes", (json_int_t)about->classes, "crops",
                  about->crops, "labels", describe_labels(&about->labels), "data",
                  plain_text(about->data), "fingerprint", hex(about->fingerprint), "pictures",
                  (json_int_t)about->pictures, "shard", about->shard, "shards", about->shards);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

static bool read_hex(uint64_t *value, const json_t *text) {
    const char *digits = json_string_value(text);
    if (!digits || strlen(digits) != HEX || strspn(digits, "0123456789abcdef") != HEX)
        return false;
    *value = strtoull(digits, NULL, 16);
    return true;
}

static bool read_count(uint64_t *value, const json_t *number, uint64_t min, uint64_t max) {
    *value = (uint64_t)json_integer_value(number);
    return json_is_integer(number) && *value >= min && *value <= max;
}

static bool read_models(dp_probs_about *about, const json_t *list) {
    size_t count = json_array_size(list);
    if (count < 1 || count > DP_PROBS_MODELS)
        return false;
    about->models = (int)count;
    for (size_t m = 0; m < count; m++) {
        const json_t *model = json_array_get(list, m);
        about->names[m] = json_string_value(json_object_get(model, "name"));
        if (!about->names[m] || !read_hex(&about->weights[m], json_object_get(model, "weights")))
            return false;
    }
    return true;
}

static deeper_status read_labels(dp_probs *p, const char *path, deeper_error *error) {
    const json_t *list = json_object_get(p->header, "labels");
    size_t count = json_array_size(list);
    if (!json_is_array(list) || (count > 0 && count != p->about.classes))
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: has %zu labels for %zu classes", path,
                       count, p->about.classes);
    if (count == 0)
        return DEEPER_OK;
    char *text = json_dumps(list, JSON_COMPACT);
    deeper_status status =
        text ? dp_labels_from_json(&p->about.labels, text, path, p->allocator, error)
             : dp_fail_memory(error, "the labels of saved answers");
    free(text);
    return status;
}

static deeper_status read_header(dp_probs *p, const char *path, deeper_error *error) {
    dp_probs_about *about = &p->about;
    size_t size = 0;
    uint64_t classes = 0, crops = 0, shard = 0, shards = 0;
    const void *text = dp_journal_header(p->journal, &size);
    DP_TRY(dp_json_parse(&p->header, text, size, JSON_DEPTH, path, "the header", -1, error));
    const json_t *header = p->header;
    about->data = json_string_value(json_object_get(header, "data"));
    if (!read_models(about, json_object_get(header, "models")) || !about->data
        || !read_count(&classes, json_object_get(header, "classes"), 1, DP_LABELS_MAX)
        || !read_count(&crops, json_object_get(header, "crops"), 1, DP_CROPS_MAX)
        || dp_crop_set_find((int)crops) < 0
        || !read_hex(&about->fingerprint, json_object_get(header, "fingerprint"))
        || !read_count(&about->pictures, json_object_get(header, "pictures"), 1, UINT32_MAX)
        || !read_count(&shards, json_object_get(header, "shards"), 1, about->pictures)
        || !read_count(&shard, json_object_get(header, "shard"), 1, shards) || shards > INT32_MAX)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: its header is not that of saved answers",
                       path);
    about->classes = (size_t)classes;
    about->crops = (int)crops;
    about->shard = (int)shard;
    about->shards = (int)shards;
    return read_labels(p, path, error);
}

/* -------------------------------------------------------------------------------------- opening */

void dp_probs_close(dp_probs *p) {
    if (!p)
        return;
    dp_journal_close(p->journal);
    dp_labels_free(&p->about.labels, p->allocator);
    json_decref(p->header);
    dp_free(p->allocator, p->record);
    dp_free(p->allocator, p);
}

/* Bytes of a record; 0: too large. */
static size_t record_bytes(const dp_probs_about *about, size_t *floats) {
    size_t crops = dp_crops_count(0, dp_crop_set_find(about->crops)), all = 0;
    if (!dp_size_mul(crops, about->classes, floats)
        || !dp_size_mul(*floats, (size_t)about->models * sizeof(float), &all)
        || all > (size_t)DP_JOURNAL_RECORD_MAX - sizeof(head))
        return 0;
    return all + sizeof(head);
}

/* Takes the journal, whose header and records must fit one another. */
static deeper_status take(dp_probs *p, const char *path, deeper_error *error) {
    DP_TRY(read_header(p, path, error));
    size_t bytes = record_bytes(&p->about, &p->floats);
    if (bytes != dp_journal_record_size(p->journal))
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: its records are not of the size that its header says", path);
    dp_probs_range(&p->about, &p->begin, &p->end);
    if (dp_journal_count(p->journal) > p->end - p->begin)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: holds more records than pictures", path);
    p->record = dp_alloc(p->allocator, bytes, 1);
    return p->record ? DEEPER_OK : dp_fail_memory(error, "a record of saved answers");
}

static deeper_status begin(dp_probs **probs, const deeper_allocator *allocator,
                           deeper_error *error) {
    *probs = dp_alloc(allocator, 1, sizeof **probs);
    if (!*probs)
        return dp_fail_memory(error, "a file of saved answers");
    (*probs)->allocator = allocator;
    return DEEPER_OK;
}

static deeper_status finish(dp_probs **probs, dp_probs *p, deeper_status status) {
    if (status == DEEPER_OK)
        *probs = p;
    else
        dp_probs_close(p);
    return status;
}

static deeper_status open_whole(dp_probs *p, const char *path, deeper_error *error) {
    DP_TRY(dp_journal_open(&p->journal, path, p->allocator, error));
    DP_TRY(take(p, path, error));
    if (dp_journal_count(p->journal) < p->end - p->begin)
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: is cut short: %llu of %llu pictures are there", path,
                       (unsigned long long)dp_journal_count(p->journal),
                       (unsigned long long)(p->end - p->begin));
    return DEEPER_OK;
}

deeper_status dp_probs_open(dp_probs **probs, const char *path, const deeper_allocator *allocator,
                            deeper_error *error) {
    dp_probs *p = NULL;
    DP_TRY(begin(&p, allocator, error));
    return finish(probs, p, open_whole(p, path, error));
}

static bool same_ids(const dp_labels *a, const dp_labels *b) {
    bool same = a->count == b->count;
    for (size_t i = 0; i < a->count && same; i++)
        same = strcmp(a->items[i].id, b->items[i].id) == 0;
    return same;
}

/* What differs between two evaluations, the shard aside; NULL: nothing. */
static const char *difference(const dp_probs_about *a, const dp_probs_about *b) {
    if (a->models != b->models
        || memcmp(a->weights, b->weights, (size_t)a->models * sizeof *a->weights) != 0)
        return "other models";
    if (a->fingerprint != b->fingerprint || a->pictures != b->pictures)
        return "other pictures";
    if (a->crops != b->crops)
        return "another number of crops";
    if (a->classes != b->classes || !same_ids(&a->labels, &b->labels))
        return "other classes";
    return a->shards != b->shards ? "another number of shards" : NULL;
}

static deeper_status begin_file(dp_probs *p, const char *path, const dp_probs_about *about,
                                deeper_error *error) {
    char *header = describe(about);
    size_t bytes = record_bytes(about, &p->floats);
    deeper_status status = DEEPER_OK;
    if (!header)
        status = dp_fail_memory(error, "the header of saved answers");
    else if (bytes == 0)
        status = dp_fail(error, DEEPER_ERROR_LIMIT,
                         "%s: the answers to one picture are too many for one record", path);
    else
        status = dp_journal_create(&p->journal, path, header, strlen(header), bytes, p->allocator,
                                   error);
    free(header);
    return status == DEEPER_OK ? take(p, path, error) : status;
}

static deeper_status resume_file(dp_probs *p, const char *path, const dp_probs_about *about,
                                 deeper_error *error) {
    if (dp_is_folder(path) == 0)
        DP_TRY(open_whole(p, path, error));
    else
        DP_TRY(dp_journal_resume(&p->journal, path, p->allocator, error));
    if (!p->journal)
        return begin_file(p, path, about, error);
    if (!p->record)
        DP_TRY(take(p, path, error));
    const char *other = difference(&p->about, about);
    if (!other && p->about.shard != about->shard)
        other = "another shard";
    if (other)
        return dp_fail(error, DEEPER_ERROR_MISMATCH, "%s: holds answers of %s; name another file",
                       path, other);
    return dp_probs_count(p) == p->end - p->begin ? dp_probs_sync(p, error) : DEEPER_OK;
}

deeper_status dp_probs_create(dp_probs **probs, const char *path, const dp_probs_about *about,
                              bool resume, const deeper_allocator *allocator, deeper_error *error) {
    dp_probs *p = NULL;
    DP_TRY(begin(&p, allocator, error));
    return finish(probs, p,
                  resume ? resume_file(p, path, about, error) : begin_file(p, path, about, error));
}

const dp_probs_about *dp_probs_tell(const dp_probs *p) {
    return &p->about;
}

/* -------------------------------------------------------------------------------------- records */

uint64_t dp_probs_count(const dp_probs *p) {
    return dp_journal_count(p->journal);
}

deeper_status dp_probs_read(dp_probs *p, uint64_t index, dp_probs_record *record,
                            deeper_error *error) {
    const head *h = p->record;
    DP_TRY(dp_journal_read(p->journal, index, p->record, error));
    if (h->picture != p->begin + index || h->label >= p->about.classes || h->unreadable > 1)
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "record %llu of saved answers is not of picture %llu",
                       (unsigned long long)index, (unsigned long long)(p->begin + index));
    *record = (dp_probs_record){ .picture = h->picture,
                                 .label = h->label,
                                 .unreadable = h->unreadable != 0,
                                 .softmaxes = (const float *)(h + 1) };
    return DEEPER_OK;
}

deeper_status dp_probs_sync(dp_probs *p, deeper_error *error) {
    return dp_journal_sync(p->journal, dp_probs_count(p) == p->end - p->begin, error);
}

deeper_status dp_probs_add(dp_probs *p, uint64_t label, const float *const *softmaxes,
                           deeper_error *error) {
    float *to = (float *)(p->record + 1);
    *p->record = (head){ .picture = p->begin + dp_probs_count(p),
                         .label = label,
                         .unreadable = softmaxes == NULL };
    for (int m = 0; m < p->about.models; m++, to += p->floats)
        if (softmaxes)
            memcpy(to, softmaxes[m], p->floats * sizeof *to);
        else
            memset(to, 0, p->floats * sizeof *to);
    DP_TRY(dp_journal_append(p->journal, p->record, error));
    uint64_t count = dp_probs_count(p);
    return count % SYNC_EVERY == 0 || count == p->end - p->begin ? dp_probs_sync(p, error)
                                                                 : DEEPER_OK;
}

/* --------------------------------------------------------------------------------------- shards */

/* Copies the records of a part to the end of the whole. */
static deeper_status copy_part(dp_probs *whole, const char *path, deeper_error *error) {
    dp_probs *part = NULL;
    DP_TRY(dp_probs_open(&part, path, whole->allocator, error));
    const float *softmaxes[DP_PROBS_MODELS];
    deeper_status status = DEEPER_OK;
    for (uint64_t i = 0; i < dp_probs_count(part) && status == DEEPER_OK; i++) {
        dp_probs_record record = { 0 };
        if (part->begin + i < dp_probs_count(whole)) /* of a merge that was broken off */
            continue;
        status = dp_probs_read(part, i, &record, error);
        for (int m = 0; m < whole->about.models && status == DEEPER_OK; m++)
            softmaxes[m] = record.softmaxes + (size_t)m * part->floats;
        if (status == DEEPER_OK)
            status = dp_probs_add(whole, record.label, record.unreadable ? NULL : softmaxes, error);
    }
    dp_probs_close(part);
    return status;
}

typedef struct part {
    int shard;
    const char *path;
} part;

/* Adds ", ITEM" to a list in `text`, or ", ..." and false if it does not fit. */
static bool list_item(char text[LIST], const char *item) {
    size_t used = strlen(text), left = LIST - used;
    const char *before = used ? ", " : "";
    bool fits = strlen(before) + strlen(item) + sizeof ", ..." <= left;
    snprintf(text + used, left, "%s%s", before, fits ? item : "...");
    return fits;
}

/* Lists the shards from *next to `last`, as far as there is room; *first becomes the first of
 * all. */
static bool list_shards(char text[LIST], int *first, int *next, int last) {
    char number[SHARD_DIGITS];
    bool fits = true;
    *first = *first == 0 && *next <= last ? *next : *first;
    for (; *next <= last && fits; ++*next) {
        snprintf(number, sizeof number, "%d", *next);
        fits = list_item(text, number);
    }
    return fits;
}

/* Says which shards there are, which not, and what to do. */
static deeper_status missing_parts(const part *parts, size_t count, const dp_probs_about *of,
                                   deeper_error *error) {
    char given[LIST] = "", missing[LIST] = "";
    int first = 0, next = 1;
    bool more_given = true, more_missing = true;
    for (size_t i = 0; i < count; i++) {
        more_given = more_given && list_item(given, parts[i].path);
        more_missing = more_missing && list_shards(missing, &first, &next, parts[i].shard - 1);
        next = parts[i].shard + 1;
    }
    if (more_missing)
        list_shards(missing, &first, &next, of->shards);
    bool one = (size_t)of->shards - count == 1;
    return dp_fail(error, DEEPER_ERROR_MISMATCH,
                   "shard%s %s of %d %s missing beside %s; save the answers for %.128s with %d "
                   "crops and shard %d/%d%s, and name "
                   "that file, too",
                   one ? "" : "s", missing, of->shards, one ? "is" : "are", given, of->data,
                   of->crops, first, of->shards, one ? "" : " and so on");
}

/* Fills sorted[0..count-1] by shards. All must be of the evaluation that `first` is of. */
static deeper_status sort_parts(part *sorted, const dp_probs_about *first, const char *const *paths,
                                size_t count, const deeper_allocator *allocator,
                                deeper_error *error) {
    for (size_t i = 0; i < count; i++) {
        dp_probs *probs = NULL;
        DP_TRY(dp_probs_open(&probs, paths[i], allocator, error));
        const char *other = difference(first, &probs->about);
        int shard = probs->about.shard;
        dp_probs_close(probs);
        if (other)
            return dp_fail(error, DEEPER_ERROR_MISMATCH, "%s: is of %s than %s", paths[i], other,
                           paths[0]);
        size_t at = i;
        for (; at > 0 && sorted[at - 1].shard > shard; at--)
            sorted[at] = sorted[at - 1];
        if (at > 0 && sorted[at - 1].shard == shard)
            return dp_fail(error, DEEPER_ERROR_MISMATCH,
                           "%s and %s overlap: both are shard %d of %d", sorted[at - 1].path,
                           paths[i], shard, first->shards);
        sorted[at] = (part){ shard, paths[i] };
    }
    return count < (size_t)first->shards ? missing_parts(sorted, count, first, error) : DEEPER_OK;
}

static deeper_status merge(const char *path, const dp_probs_about *first, const char *const *paths,
                           size_t count, const deeper_allocator *allocator, deeper_error *error) {
    part *sorted = dp_alloc(allocator, count, sizeof *sorted);
    if (!sorted)
        return dp_fail_memory(error, "the list of shards");
    dp_probs_about about = *first;
    about.shard = about.shards = 1;
    dp_probs *whole = NULL;
    deeper_status status = sort_parts(sorted, first, paths, count, allocator, error);
    if (status == DEEPER_OK)
        status = dp_probs_create(&whole, path, &about, true, allocator, error);
    for (size_t i = 0; i < count && status == DEEPER_OK; i++)
        status = copy_part(whole, sorted[i].path, error);
    dp_probs_close(whole);
    dp_free(allocator, sorted);
    return status;
}

deeper_status dp_probs_merge(const char *path, const char *const *parts, size_t count,
                             const deeper_allocator *allocator, deeper_error *error) {
    if (count == 0)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "there are no shards to merge");
    dp_probs *first = NULL;
    DP_TRY(dp_probs_open(&first, parts[0], allocator, error));
    deeper_status status = merge(path, &first->about, parts, count, allocator, error);
    dp_probs_close(first);
    return status;
}

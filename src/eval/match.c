/* match.c - class folders against a label table. */
#include "eval/match.h"

#include <stdio.h>
#include <string.h>

enum { NAMED = 5 }; /* classes that a message names before it only counts */

/* The classes that cannot be matched, as a message lists them. */
typedef struct misfits {
    char names[DEEPER_MESSAGE_SIZE / 2];
    size_t count;
} misfits;

static void add_misfit(misfits *list, const char *name, const char *why) {
    size_t used = strlen(list->names);
    if (list->count++ < NAMED)
        snprintf(list->names + used, sizeof list->names - used, "%s\"%.64s\"%s", used ? ", " : "",
                 name, why);
}

static char fold(char byte) {
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte == '_' ? ' ' : byte;
}

/* Whether `name` is text[0..length), blanks around the latter aside. */
static bool is_name(const char *name, const char *text, size_t length) {
    while (length > 0 && *text == ' ')
        text++, length--;
    while (length > 0 && text[length - 1] == ' ')
        length--;
    if (strlen(name) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (fold(name[i]) != fold(text[i]))
            return false;
    return true;
}

/* Whether `name` is the whole of a label's names or one of those between its commas. */
static bool is_named(const char *name, const char *names) {
    if (is_name(name, names, strlen(names)))
        return true;
    for (const char *part = names; *part;) {
        size_t length = strcspn(part, ",");
        if (is_name(name, part, length))
            return true;
        part += length + (part[length] == ',');
    }
    return false;
}

/* Labels that fit (2 stands for more); *found is the first. */
static int find(size_t *matches, const dp_labels *labels, const char *name) {
    int fits = 0;
    for (size_t i = 0; i < labels->count; i++)
        if (strcmp(labels->items[i].id, name) == 0) {
            *matches = i;
            return 1;
        }
    for (size_t i = 0; i < labels->count && fits < 2; i++)
        if (is_named(name, labels->items[i].name) && fits++ == 0)
            *matches = i;
    return fits;
}

deeper_status dp_match_classes(size_t *outputs, const dp_dataset *dataset, const dp_model *model,
                               deeper_error *error) {
    misfits list = { 0 };
    if (!dataset->numbered && model->labels.count == 0)
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "%s: the model has no labels to match its class folders with; open the "
                       "model with a file of labels",
                       dataset->path);
    for (size_t c = 0; c < dataset->class_count; c++) {
        const char *name = dp_dataset_class(dataset, c);
        outputs[c] = dataset->numbered ? c : 0;
        if (dataset->classes[c].images == 0)
            continue;
        int fits = dataset->numbered ? c < (size_t)model->classes
                                     : find(&outputs[c], &model->labels, name);
        if (fits != 1)
            add_misfit(&list, name, fits > 1 ? " (fits several: use the id)" : "");
    }
    if (list.count == 0)
        return DEEPER_OK;
    return dp_fail(error, DEEPER_ERROR_MISMATCH,
                   "%s: %zu of %zu classes match no class of the model by id or name: %s%s; "
                   "fine-tune the model on them, or give it labels "
                   "that name them",
                   dataset->path, list.count, dataset->class_count, list.names,
                   list.count > NAMED ? ", ..." : "");
}

/* layout.c - see layout.h. */
#include "data/layout.h"

#include "data/names.h"

#include <string.h>

/* ---------------------------------------------------------------------------------------- parts */

/* The candidates among the folders of a set. */
typedef struct candidates {
    const char *names[DP_PARTS];
    dp_holding holds[DP_PARTS];
    int ranks[DP_PARTS];
    const char *first;
    size_t parts, others; /* folders whose names say a part, and not */
} candidates;

static void add_candidate(candidates *of, const char *name) {
    int rank, part = dp_name_part(name, strlen(name), &rank);
    of->others += part < 0;
    if (part < 0)
        return;
    of->parts++;
    if (!of->first)
        of->first = name;
    if (of->names[part] && of->ranks[part] < rank)
        return;
    of->names[part] = name;
    of->ranks[part] = rank;
}

static deeper_status fail_loose(const dp_layout *layout, const char *name, deeper_error *error) {
    return dp_fail(error, DEEPER_ERROR_FORMAT,
                   "%s%s%s: a part of the set by its name, but it holds pictures and no class "
                   "folders; put those of each class into a folder in it, or name a list of the "
                   "pictures and their classes",
                   layout->path, layout->joint, name);
}

/* Where `part` holds class folders every other folder must be a part too, or hold nothing. */
static deeper_status check_others(const dp_layout *layout, const char *part, deeper_error *error) {
    for (size_t i = 0; i < layout->listing->count; i++) {
        const char *name = layout->listing->names[i];
        dp_holding holding = { 0 };
        int rank;
        if (!layout->listing->folders[i] || dp_name_ignored(name, strlen(name), true)
            || dp_name_part(name, strlen(name), &rank) >= 0)
            continue;
        DP_TRY(layout->look(layout->context, &holding, name, error));
        if (holding.folders > 0 || holding.pictures)
            return dp_fail(error, DEEPER_ERROR_FORMAT,
                           "%s: '%s' is a part with class folders and '%s' beside it is none; give "
                           "the part alone (%s%s%s), or move '%s' away",
                           layout->path, part, name, layout->path, layout->joint, part, name);
    }
    return DEEPER_OK;
}

deeper_status dp_layout_parts(const char *parts[DP_PARTS], const char *aside[DP_PARTS],
                              const dp_layout *layout, deeper_error *error) {
    candidates of = { 0 };
    const char *labelled = NULL;
    for (int p = 0; p < DP_PARTS; p++)
        parts[p] = aside[p] = NULL;
    for (size_t i = 0; i < layout->listing->count; i++) {
        const char *name = layout->listing->names[i];
        if (layout->listing->folders[i] && !dp_name_ignored(name, strlen(name), true))
            add_candidate(&of, name);
    }
    for (int p = 0; p < DP_PARTS; p++) {
        if (of.names[p])
            DP_TRY(layout->look(layout->context, &of.holds[p], of.names[p], error));
        if (of.holds[p].folders > 0 && !labelled)
            labelled = of.names[p];
    }
    if (!labelled) /* else they are classes that happen to be named so */
        return of.parts > 0 && of.others == 0 ? fail_loose(layout, of.first, error) : DEEPER_OK;
    DP_TRY(check_others(layout, labelled, error));
    for (int p = 0; p < DP_PARTS; p++)
        if (of.holds[p].folders > 0)
            parts[p] = of.names[p];
        else if (of.holds[p].pictures)
            aside[p] = of.names[p];
    return aside[DP_TRAIN] ? fail_loose(layout, aside[DP_TRAIN], error) : DEEPER_OK;
}

/* ---------------------------------------------------------------------------------------- depth */

/* Bytes of a path up to its last slash, which is counted; 0: none. */
static size_t folder_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* The folder that holds all of pictures [begin, end), as bytes of their names; whether one of them
 * lies in it itself. */
static bool common_folder(size_t *common, const dp_dataset *dataset, size_t begin, size_t end) {
    const char *first = dp_dataset_name(dataset, begin);
    bool direct = false;
    *common = folder_of(first);
    for (size_t i = begin + 1; i < end; i++) {
        const char *name = dp_dataset_name(dataset, i);
        size_t same = 0;
        while (same < *common && name[same] == first[same])
            same++;
        while (same > 0 && first[same - 1] != '/')
            same--;
        *common = same;
    }
    for (size_t i = begin; i < end && !direct; i++)
        direct = folder_of(dp_dataset_name(dataset, i)) == *common;
    return direct;
}

deeper_status dp_layout_check(const dp_dataset *dataset, deeper_error *error) {
    size_t used = 0, deep = 0, common = 0;
    const char *name = NULL, *class_name = NULL;
    for (size_t begin = 0, end; begin < dataset->image_count; begin = end) {
        uint32_t class_index = dataset->images[begin].class_index;
        size_t here;
        for (end = begin; end < dataset->image_count; end++)
            if (dataset->images[end].class_index != class_index)
                break;
        used++;
        if (common_folder(&here, dataset, begin, end) || deep++ > 0)
            continue;
        common = here;
        name = dp_dataset_name(dataset, begin);
        class_name = dp_dataset_class(dataset, class_index);
    }
    if (deep == 0 || 2 * deep < used)
        return DEEPER_OK;
    size_t length = strcspn(name + common, "/");
    return dp_fail(error, DEEPER_ERROR_FORMAT,
                   "%s: its folder '%s' holds folders ('%.*s') and no pictures; if these are the "
                   "classes, give %.*s, else put the pictures of each class into one folder",
                   dataset->path, class_name, (int)length, name + common, (int)common - 1, name);
}

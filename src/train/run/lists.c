/* lists.c - see lists.h. */
#include "train/run/lists.h"

#include "base/files.h"
#include "base/text.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void sink(void *writer, const char *bytes, size_t size) {
    dp_writer_put(writer, bytes, size);
}

static void put(dp_writer *writer, const char *text) {
    dp_writer_put(writer, text, strlen(text));
}

/* "path,label" of a picture. */
static void put_picture(dp_writer *writer, const dp_dataset *dataset, size_t index) {
    char path[2 * PATH_MAX];
    const char *name = dp_dataset_name(dataset, index);
    if (name[0] != '/' && getcwd(path, PATH_MAX) && strlen(name) < PATH_MAX - 1) {
        size_t length = strlen(path);
        snprintf(path + length, sizeof path - length, "/%s", name);
        name = path;
    }
    dp_put_csv_cell(sink, writer, name);
    put(writer, ",");
    dp_put_csv_cell(sink, writer, dp_dataset_class(dataset, dataset->images[index].class_index));
}

static deeper_status open_list(dp_writer **writer, const dp_run_folder *folder, const char *name,
                               const char *heading, deeper_error *error) {
    char *path = dp_folder_path(folder, name);
    deeper_status status = path ? dp_writer_open(writer, path, folder->allocator, error)
                                : dp_fail_memory(error, "a path");
    dp_free(folder->allocator, path);
    if (status == DEEPER_OK)
        put(*writer, heading);
    return status;
}

deeper_status dp_lists_split(const dp_run_folder *folder, const dp_pictures *pictures,
                             deeper_error *error) {
    const struct {
        const dp_dataset *dataset;
        const char *part;
    } parts[] = { { pictures->train.dataset, ",train\n" }, { pictures->val.dataset, ",val\n" } };
    dp_writer *writer = NULL;
    DP_TRY(open_list(&writer, folder, "split.csv", "path,label,part\n", error));
    for (int p = 0; p < 2; p++)
        for (size_t i = 0; i < parts[p].dataset->image_count; i++) {
            put_picture(writer, parts[p].dataset, i);
            put(writer, parts[p].part);
        }
    return dp_writer_commit(writer, error);
}

deeper_status dp_lists_predictions(const dp_run_folder *folder, const dp_picture_set *set,
                                   const dp_labels *labels, const dp_validation *validation,
                                   deeper_error *error) {
    dp_writer *writer = NULL;
    DP_TRY(open_list(&writer, folder, "predictions.csv", "path,label,prediction,probability\n",
                     error));
    for (size_t i = 0; i < set->dataset->image_count; i++) {
        const dp_prediction none = { 0 }, *prediction = i < validation->prediction_count
                                                            ? &validation->predictions[i]
                                                            : &none;
        char number[32] = "";
        put_picture(writer, set->dataset, i);
        put(writer, ",");
        if (prediction->known) {
            const dp_label *label = &labels->items[prediction->class_index];
            dp_put_csv_cell(sink, writer, *label->id ? label->id : label->name);
            snprintf(number, sizeof number, "%.6g", (double)prediction->probability);
        }
        put(writer, ",");
        put(writer, number);
        put(writer, "\n");
    }
    return dp_writer_commit(writer, error);
}

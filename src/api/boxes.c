/* boxes.c - deeper_boxes and deeper_detections. */
#include "data/boxes.h"
#include "api/handles.h"
#include "data/detections.h"

#include <string.h>

struct deeper_boxes {
    dp_owner owner;
    dp_boxes boxes;
};

struct deeper_detections {
    dp_owner owner;
    dp_detections detections;
};

deeper_status deeper_boxes_open(deeper_boxes **boxes, const char *path,
                                const deeper_boxes_options *options, deeper_error *error) {
    DP_ENTRY;
    void *handle = NULL;
    deeper_boxes_options taken = DEEPER_BOXES_OPTIONS_INIT;
    DP_TRY(dp_need(boxes, "boxes", error));
    *boxes = NULL;
    DP_TRY(dp_need(path, "path", error));
    DP_TRY(dp_options_read(&taken, sizeof taken, options, "deeper_boxes_options", error));
    DP_TRY(dp_handle_create(&handle, sizeof **boxes, taken.allocator, error));
    deeper_boxes *created = handle;
    const dp_boxes_options with = { .part = taken.part,
                                    .photos = taken.photos,
                                    .fraction = taken.fraction,
                                    .held_out = taken.held_out != 0,
                                    .seed = taken.seed,
                                    .problem = taken.problem,
                                    .context = taken.context };
    const deeper_status status =
        dp_boxes_open(&created->boxes, path, &with, created->owner.allocator, error);
    if (status == DEEPER_OK)
        *boxes = created;
    else
        deeper_boxes_close(created);
    return status;
}

void deeper_boxes_close(deeper_boxes *boxes) {
    if (!boxes)
        return;
    dp_boxes_free(&boxes->boxes);
    dp_handle_free(boxes);
}

const char *deeper_boxes_form(size_t index, const char **description) {
    return dp_boxes_form(index, description);
}

int deeper_boxes_at(const char *path) {
    return path && dp_boxes_at(path);
}

const char *deeper_boxes_text(const deeper_boxes *boxes, const char *key) {
    if (!boxes || !key)
        return NULL;
    return strcmp(key, "form") == 0   ? boxes->boxes.format
           : strcmp(key, "path") == 0 ? boxes->boxes.path
           : strcmp(key, "part") == 0 ? dp_boxes_part(&boxes->boxes)
                                      : NULL;
}

const char *deeper_boxes_part(const deeper_boxes *boxes, size_t index) {
    if (!boxes || index >= boxes->boxes.part_count)
        return NULL;
    return dp_boxes_text(&boxes->boxes, boxes->boxes.parts[index]);
}

size_t deeper_boxes_classes(const deeper_boxes *boxes) {
    return boxes ? boxes->boxes.class_count : 0;
}

const char *deeper_boxes_class(const deeper_boxes *boxes, size_t index) {
    if (index >= deeper_boxes_classes(boxes))
        return NULL;
    return dp_boxes_text(&boxes->boxes, boxes->boxes.classes[index].name);
}

size_t deeper_boxes_photos(const deeper_boxes *boxes) {
    return boxes ? boxes->boxes.photo_count : 0;
}

deeper_status deeper_boxes_photo(const deeper_boxes *boxes, size_t index, deeper_boxed_photo *photo,
                                 size_t size, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(boxes, "boxes", error));
    DP_TRY(dp_need_result(photo, size, "photo", error));
    if (index >= boxes->boxes.photo_count)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "photo %zu: there are %zu", index,
                       boxes->boxes.photo_count);
    const dp_boxed_photo *from = &boxes->boxes.photos[index];
    const deeper_boxed_photo given = { .path = dp_boxes_text(&boxes->boxes, from->name),
                                       .width = from->width,
                                       .height = from->height,
                                       .first = from->first,
                                       .count = from->count };
    dp_result_give(photo, size, &given, sizeof given);
    return DEEPER_OK;
}

const deeper_truth *deeper_boxes_truth(const deeper_boxes *boxes, size_t *count) {
    if (count)
        *count = boxes ? boxes->boxes.box_count : 0;
    return boxes ? boxes->boxes.boxes : NULL;
}

static deeper_status give_fault(const size_t *counts, size_t index, deeper_box_fault *fault,
                                size_t size, deeper_error *error) {
    DP_TRY(dp_need_result(fault, size, "fault", error));
    if (index >= DP_BOX_FAULTS)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "fault %zu: there are %d kinds", index,
                       DP_BOX_FAULTS);
    deeper_box_fault given = { .count = counts[index], .sound = index == DP_BOX_POLYGON };
    given.name = dp_box_fault_name((dp_box_fault)index, &given.description);
    dp_result_give(fault, size, &given, sizeof given);
    return DEEPER_OK;
}

deeper_status deeper_boxes_fault(const deeper_boxes *boxes, size_t index, deeper_box_fault *fault,
                                 size_t size, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(boxes, "boxes", error));
    return give_fault(boxes->boxes.faults, index, fault, size, error);
}

deeper_status deeper_boxes_check_photos(deeper_boxes *boxes,
                                        void (*progress)(void *context, uint64_t done,
                                                         uint64_t total),
                                        void *context, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(boxes, "boxes", error));
    return dp_boxes_check_photos(&boxes->boxes, progress, context, error);
}

/* ------------------------------------------------------------------------------------- detections
 */

deeper_status deeper_detections_open(deeper_detections **detections, const deeper_boxes *boxes,
                                     const char *path,
                                     void (*problem)(void *context, const char *message),
                                     void *context, const deeper_allocator *allocator,
                                     deeper_error *error) {
    DP_ENTRY;
    void *handle = NULL;
    DP_TRY(dp_need(detections, "detections", error));
    *detections = NULL;
    DP_TRY(dp_need(boxes, "boxes", error));
    DP_TRY(dp_need(path, "path", error));
    DP_TRY(dp_handle_create(&handle, sizeof **detections, allocator, error));
    deeper_detections *created = handle;
    const deeper_status status =
        dp_detections_read(&created->detections, &boxes->boxes, path, problem, context,
                           created->owner.allocator, error);
    if (status == DEEPER_OK)
        *detections = created;
    else
        deeper_detections_close(created);
    return status;
}

void deeper_detections_close(deeper_detections *detections) {
    if (!detections)
        return;
    dp_detections_free(&detections->detections);
    dp_handle_free(detections);
}

const deeper_detection *deeper_detections_array(const deeper_detections *detections,
                                                size_t *count) {
    if (count)
        *count = detections ? detections->detections.count : 0;
    return detections ? detections->detections.items : NULL;
}

deeper_status deeper_detections_fault(const deeper_detections *detections, size_t index,
                                      deeper_box_fault *fault, size_t size, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(detections, "detections", error));
    return give_fault(detections->detections.faults, index, fault, size, error);
}

/* crops.c - which squares of a picture make up a set of crops, and how they are cut with as little
 * resizing as can be. A set is a row of `sets`; all else is loops over scales, squares and
 * positions. */
#include "image/crops.h"

#include <string.h>

enum { SCALES = 4, SQUARES = 3, POSITIONS = 5, CENTRE = POSITIONS - 1 };

/* Positions in halves of the room that is left: corners, then the centre. */
static const int positions[POSITIONS][2] = { { 0, 0 }, { 2, 0 }, { 0, 2 }, { 2, 2 }, { 1, 1 } };

/* Short sides in sevenths of the network's: 256, 288, 320 and 352 for 224. */
static const int sevenths[SCALES] = { 8, 9, 10, 11 };

static const struct crop_set {
    int crops;
    bool scaled;   /* all scales and the squares of each; else the picture as the model's own rule
                      resizes it, uncut */
    int first;     /* of the positions; those after it are taken too */
    bool whole;    /* the square itself, resized, after the positions */
    bool mirrored; /* all of them once more, as mirror images */
    bool as_it_is; /* a picture of the network's own size is not resized */
    const char *about;
} sets[DP_CROP_SETS] = {
    { 1, false, CENTRE, false, false, true, "the centre" },
    { 10, false, 0, false, true, false, "corners and centre with mirrors" },
    { 144, true, 0, true, true, false,
      "the paper's: 4 scales, 3 squares of each, corners, centre and whole, mirrors" },
};

int dp_crop_set_size(int set, const char **about) {
    if (about)
        *about = sets[set].about;
    return sets[set].crops;
}

int dp_crop_set_find(int crops) {
    for (int set = 0; set < DP_CROP_SETS; set++)
        if (sets[set].crops == crops)
            return set;
    return -1;
}

deeper_status dp_crops_check(int crops, deeper_error *error) {
    if (dp_crop_set_find(crops) >= 0)
        return DEEPER_OK;
    return dp_fail(error, DEEPER_ERROR_ARGUMENT, "crops is %d; %d, %d and %d can be had", crops,
                   sets[0].crops, sets[1].crops, sets[2].crops);
}

size_t dp_crops_count(int first, int last) {
    size_t count = 0;
    for (int set = first; set <= last; set++)
        count += (size_t)sets[set].crops;
    return count;
}

size_t dp_crops_views_max(int first, int last) {
    size_t count = 0;
    for (int set = first; set <= last; set++)
        count += (size_t)(sets[set].crops >> sets[set].mirrored);
    return count;
}

static int scaled_side(const dp_preprocess *preprocess, int scale) {
    return (2 * preprocess->size * sevenths[scale] + 7) / 14;
}

/* ----------------------------------------------------------------------------------------- list */

static void add_crop(dp_crop_list *list, const dp_view *view, bool mirrored) {
    int at = 0;
    while (at < list->view_count && memcmp(&list->views[at], view, sizeof *view) != 0)
        at++;
    if (at == list->view_count)
        list->views[list->view_count++] = *view;
    list->crops[list->count++] = (dp_crop){ at, mirrored };
}

/* Where `size` of `room + size` pixels begin, `halves` halves of the room away from the start.
 * Halves of a pixel go to the even one, as in torchvision's CenterCrop. */
static int place_of(int room, int halves) {
    return room * halves / 2 + (halves == 1 && room % 4 == 3);
}

int dp_crop_centre(int length, int size) {
    return place_of(length - size, 1);
}

/* The crops of the part (x, y, width, height) of a picture that is resized to that of `whole`. */
static void add_part(dp_crop_list *list, const struct crop_set *set, int size, dp_view whole,
                     int width, int height) {
    for (int mirrored = 0; mirrored <= set->mirrored; mirrored++) {
        for (int p = set->first; p < POSITIONS; p++) {
            dp_view view = whole;
            view.x += place_of(width - size, positions[p][0]);
            view.y += place_of(height - size, positions[p][1]);
            view.side = size;
            add_crop(list, &view, mirrored != 0);
        }
        if (set->whole)
            add_crop(list, &whole, mirrored != 0);
    }
}

int dp_crop_set_columns(int set) {
    return (POSITIONS - sets[set].first + sets[set].whole) << sets[set].mirrored;
}

/* The squares of one scale: begin, middle and end of the longer direction. */
static deeper_status add_scale(dp_crop_list *list, const struct crop_set *set,
                               const dp_preprocess *preprocess, int scale, int width, int height,
                               deeper_error *error) {
    dp_preprocess scaled = *preprocess;
    scaled.rule = DP_RESIZE_SHORT;
    scaled.side = scaled_side(preprocess, scale);
    dp_view whole = { .side = scaled.side };
    DP_TRY(dp_preprocess_resized(&scaled, width, height, &whole.width, &whole.height, error));
    for (int square = 0; square < SQUARES; square++) {
        dp_view view = whole;
        view.x = place_of(whole.width - view.side, square);
        view.y = place_of(whole.height - view.side, square);
        add_part(list, set, preprocess->size, view, view.side, view.side);
    }
    return DEEPER_OK;
}

deeper_status dp_crops_list(dp_crop_list *list, const dp_preprocess *preprocess, int width,
                            int height, int first, int last, deeper_error *error) {
    int size = preprocess->size;
    list->count = list->view_count = 0;
    for (int s = first; s <= last; s++) {
        const struct crop_set *set = &sets[s];
        for (int scale = 0; set->scaled && scale < SCALES; scale++)
            DP_TRY(add_scale(list, set, preprocess, scale, width, height, error));
        if (set->scaled)
            continue;
        dp_view whole = { .width = size, .height = size };
        if (!set->as_it_is || width != size || height != size)
            DP_TRY(dp_preprocess_resized(preprocess, width, height, &whole.width, &whole.height,
                                         error));
        add_part(list, set, size, whole, whole.width, whole.height);
    }
    return DEEPER_OK;
}

/* ---------------------------------------------------------------------------------------- views */

/* The scale that is being cut. */
typedef struct cutting {
    const dp_preprocess *preprocess;
    const dp_image *image;
    dp_image resized; /* the whole picture; without pixels: squares are resampled one by one */
    const deeper_allocator *allocator;
} cutting;

/* Copies a square out of the resized picture. */
static deeper_status copy_square(const cutting *cut, const dp_view *view, dp_image *square,
                                 deeper_error *error) {
    size_t row = (size_t)view->side * 3, stride = (size_t)cut->resized.width * 3;
    const uint8_t *from = cut->resized.pixels + (size_t)view->y * stride + (size_t)view->x * 3;
    *square = (dp_image){ .width = view->side, .height = view->side, .allocator = cut->allocator };
    square->pixels = dp_alloc_raw(cut->allocator, row, (size_t)view->side);
    if (!square->pixels)
        return dp_fail_memory(error, "a crop of a picture");
    for (int y = 0; y < view->side; y++)
        memcpy(square->pixels + (size_t)y * row, from + (size_t)y * stride, row);
    return DEEPER_OK;
}

static deeper_status cut_view(const cutting *cut, const dp_view *view, float *tensor,
                              deeper_error *error) {
    const dp_preprocess *preprocess = cut->preprocess;
    int size = preprocess->size;
    const int region[4] = { view->x, view->y, view->side, view->side };
    dp_image square, shrunk;
    if (cut->resized.pixels)
        DP_TRY(copy_square(cut, view, &square, error));
    else
        DP_TRY(dp_image_resize_region(&square, cut->image, NULL, view->width, view->height, region,
                                      preprocess->filter, cut->allocator, error));
    deeper_status status = DEEPER_OK;
    if (view->side != size) {
        status = dp_image_resize(&shrunk, &square, NULL, size, size, preprocess->filter,
                                 cut->allocator, error);
        dp_image_free(&square);
        square = shrunk;
    }
    if (status == DEEPER_OK)
        dp_preprocess_tensor(preprocess, &square, NULL, tensor);
    dp_image_free(&square);
    return status;
}

/* The views from `begin` that are cut from a picture of the same size. */
static int scale_end(const dp_crop_list *list, int begin) {
    const dp_view *first = &list->views[begin];
    int end = begin + 1;
    while (end < list->view_count && list->views[end].width == first->width
           && list->views[end].height == first->height)
        end++;
    return end;
}

static deeper_status open_scale(cutting *cut, const dp_crop_list *list, int begin, int end,
                                deeper_error *error) {
    const dp_view *view = &list->views[begin];
    int64_t pixels = 0;
    for (int v = begin; v < end; v++)
        pixels += (int64_t)list->views[v].side * list->views[v].side;
    if (end - begin == 1 || (int64_t)view->width * view->height > pixels)
        return DEEPER_OK;
    return dp_image_resize(&cut->resized, cut->image, NULL, view->width, view->height,
                           cut->preprocess->filter, cut->allocator, error);
}

deeper_status dp_crops_views(const dp_crop_list *list, const dp_preprocess *preprocess,
                             const dp_image *image, float *tensor, const int *place,
                             const deeper_allocator *allocator, deeper_error *error) {
    size_t floats = dp_preprocess_floats(preprocess);
    for (int begin = 0, end = 0; begin < list->view_count; begin = end) {
        cutting cut = { .preprocess = preprocess, .image = image, .allocator = allocator };
        end = scale_end(list, begin);
        deeper_status status = open_scale(&cut, list, begin, end, error);
        for (int v = begin; v < end && status == DEEPER_OK; v++)
            status = cut_view(&cut, &list->views[v],
                              tensor + (size_t)(place ? place[v] : v) * floats, error);
        dp_image_free(&cut.resized);
        DP_TRY(status);
    }
    return DEEPER_OK;
}

void dp_crop_mirror(float *out, const float *in, const dp_preprocess *preprocess) {
    int width = preprocess->size, rows = preprocess->channels * preprocess->size;
    for (int y = 0; y < rows; y++, in += width, out += width)
        for (int x = 0; x < width; x++)
            out[x] = in[width - 1 - x];
}

deeper_status dp_preprocess_run(const dp_preprocess *preprocess, const dp_image *image, int crops,
                                float *tensor, const deeper_allocator *allocator,
                                deeper_error *error) {
    dp_crop_list list;
    int place[DP_VIEWS_MAX], set = dp_crop_set_find(crops);
    DP_TRY(dp_preprocess_check(preprocess, error));
    DP_TRY(dp_crops_check(crops, error));
    if (!image->pixels)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "preprocessing: there is no picture");
    DP_TRY(dp_crops_list(&list, preprocess, image->width, image->height, set, set, error));
    for (int i = list.count - 1; i >= 0; i--)
        place[list.crops[i].view] = i; /* at last the first, which is no mirror image */
    DP_TRY(dp_crops_views(&list, preprocess, image, tensor, place, allocator, error));
    size_t floats = dp_preprocess_floats(preprocess);
    for (int i = 0; i < list.count; i++) {
        int from = place[list.crops[i].view];
        float *out = tensor + (size_t)i * floats;
        if (list.crops[i].mirrored)
            dp_crop_mirror(out, tensor + (size_t)from * floats, preprocess);
        else if (from != i)
            memcpy(out, tensor + (size_t)from * floats, floats * sizeof *out);
    }
    return DEEPER_OK;
}

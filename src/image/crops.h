/* crops.h - the views of a picture that a network is shown and whose answers are combined: the
 * centre, ten, the paper's 144. Why here: classification, evaluation, the public deeper_prepare and
 * the sheet of crops must mean the same by a number.
 *
 * A view is a square of the resized picture; a crop is a view or its mirror image. Crops that show
 * the same pixels share a view, so that it is resized and computed once: the three squares of a
 * square picture coincide, and a model whose own rule is the paper's first scale finds its 1 and 10
 * crops among the 144. */
#ifndef DP_IMAGE_CROPS_H
#define DP_IMAGE_CROPS_H

#include "image/preprocess.h"

enum { DP_CROP_SETS = 3, DP_CROPS_MAX = 1 + 10 + 144, DP_VIEWS_MAX = 1 + 5 + 72 };

/* The crops that can be had, fewest first, with a line on each: 1, 10, 144. set:
 * 0..DP_CROP_SETS-1. */
int dp_crop_set_size(int set, const char **about);

/* Where the middle `size` of `length` pixels begin; half a pixel goes to the even one. */
int dp_crop_centre(int length, int size);

/* The set of that many crops; -1: there is none. */
int dp_crop_set_find(int crops);

/* ARGUMENT, naming what can be had, unless there is a set of that many. */
deeper_status dp_crops_check(int crops, deeper_error *error);

/* Crops of one square, which are shown side by side: 1, 10, 12. */
int dp_crop_set_columns(int set);

/* Crops, and at most how many views, of sets `first` to `last` together. */
size_t dp_crops_count(int first, int last);
size_t dp_crops_views_max(int first, int last);

typedef struct dp_view {
    int width, height; /* of the whole picture as it is resized */
    int x, y, side; /* of the square in it; one of another side than the network's is then resized
                       to that */
} dp_view;

typedef struct dp_crop {
    int view;
    bool mirrored; /* left and right exchanged */
} dp_crop;

typedef struct dp_crop_list {
    dp_crop crops[DP_CROPS_MAX];
    dp_view views[DP_VIEWS_MAX]; /* no two are equal; each is there without its mirror image too */
    int count, view_count;
} dp_crop_list;

/* The crops of sets `first` to `last`, set after set, of a picture of width x height:
 *   1    the centre, at ((w - size) / 2, (h - size) / 2) rounded down, of the picture as the
 *        model's own rule resizes it. A picture of exactly size x size is taken as it is, whatever
 *        the rule: it was cropped for this network before, and to enlarge and cut it again would
 *        only lose its border.
 *   10   top left, top right, bottom left, bottom right, centre of the same, then the mirror images
 *        of these five.
 *   144  the paper's (section 7): the picture resized, aspect kept, to a short side of 256, 288,
 *        320 and 352 (8, 9, 10 and 11 sevenths of the network's side, rounded); of each the left,
 *        centre and right square (top, centre and bottom where it is higher than wide); of each
 *        square the four corners, the centre and the whole square resized, then their mirror
 *        images.
 * Errors: LIMIT (a picture so elongated that its resized long side exceeds DP_RESIZE_MAX_SIDE). */
deeper_status dp_crops_list(dp_crop_list *list, const dp_preprocess *preprocess, int width,
                            int height, int first, int last, deeper_error *error);

/* tensor[place[v]] (channels x size x size floats each) = view v of the picture, whose list it is;
 * place NULL: v itself. Views of one scale are cut from one resized picture, unless they are so far
 * apart that it would hold more than they do. Errors: MEMORY. Scratch is from `allocator` and freed
 * before the return. */
deeper_status dp_crops_views(const dp_crop_list *list, const dp_preprocess *preprocess,
                             const dp_image *image, float *tensor, const int *place,
                             const deeper_allocator *allocator, deeper_error *error);

/* tensor (crops x channels x size x size floats) = the crops of one set, in its order, all of them
 * whether equal or not. Errors: those of dp_preprocess_check, dp_crops_check, dp_crops_list and
 * dp_crops_views; ARGUMENT if there is no picture. */
deeper_status dp_preprocess_run(const dp_preprocess *preprocess, const dp_image *image, int crops,
                                float *tensor, const deeper_allocator *allocator,
                                deeper_error *error);

/* out (one image of channels x size x size) = in with left and right exchanged. They may not
 * overlap. */
void dp_crop_mirror(float *out, const float *in, const dp_preprocess *preprocess);

#endif

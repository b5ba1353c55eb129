/* classifier.c - views through the network in batches, and their answers dealt out to the crops. */
#include "session/classifier.h"

#include "session/input.h"

#include <math.h>
#include <string.h>

void dp_classifier_free(dp_classifier *classifier) {
    if (!classifier)
        return;
    const deeper_allocator *allocator = classifier->session->allocator;
    for (int i = 0; classifier->outputs && i < classifier->session->output_count; i++)
        dp_free(allocator, classifier->outputs[i]);
    dp_free(allocator, classifier->outputs);
    dp_free(allocator, classifier->softmaxes);
    dp_free(allocator, classifier->views);
    dp_free(allocator, classifier->mirrors);
    dp_free(allocator, classifier->picture);
    dp_free(allocator, classifier);
}

/* *floats = `one` x count floats, allocated; false: too large or out of memory. */
static bool take_floats(float **floats, const dp_session *session, size_t one, size_t count) {
    size_t all = 0;
    *floats = dp_size_mul(one, count, &all) ? dp_alloc_raw(session->allocator, all, sizeof **floats)
                                            : NULL;
    return *floats != NULL;
}

static bool reserve(dp_classifier *classifier) {
    const dp_session *session = classifier->session;
    size_t batch = (size_t)session->max_batch, classes = classifier->classes;
    classifier->outputs =
        dp_alloc(session->allocator, (size_t)session->output_count, sizeof *classifier->outputs);
    if (!classifier->outputs
        || !take_floats(&classifier->softmaxes, session, classifier->crops * classes,
                        classifier->images)
        || !take_floats(&classifier->views, session, classes, 2 * DP_VIEWS_MAX))
        return false;
    if (classifier->crops > 1
        && !take_floats(&classifier->mirrors, session,
                        dp_preprocess_floats(&session->model->preprocess), batch))
        return false;
    for (int i = 0; i < session->output_count; i++)
        if (!take_floats(&classifier->outputs[i], session,
                         dp_shape_floats(dp_session_output(session, i)), batch))
            return false;
    return true;
}

deeper_status dp_classifier_create(dp_classifier **out, dp_session *session, int softmax, int first,
                                   int last, deeper_error *error) {
    const dp_model *model = session->model;
    int place = 0;
    while (place < session->output_count && session->outputs[place] != softmax)
        place++;
    if (place == session->output_count)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "outputs: the session does not return the class probabilities (\"%s\"); "
                       "create it with them among its outputs",
                       model->graph->nodes[softmax].name);
    DP_TRY(dp_need_preprocess(model, error));
    dp_classifier *classifier = dp_alloc(session->allocator, 1, sizeof *classifier);
    if (!classifier)
        return dp_fail_memory(error, "the buffers of classification");
    size_t crops = dp_crops_count(first, last);
    *classifier = (dp_classifier){
        .session = session,
        .first = first,
        .last = last,
        .images = crops == 1 ? (size_t)session->max_batch : 1,
        .crops = crops,
        .picture_floats =
            dp_crops_views_max(first, last) * dp_preprocess_floats(&model->preprocess),
        .classes = dp_shape_floats(dp_session_output(session, place)),
        .softmax = place,
    };
    if (!reserve(classifier)) {
        dp_classifier_free(classifier);
        return dp_fail_memory(error,
                              "the buffers of classification; a smaller max_batch needs less");
    }
    *out = classifier;
    return DEEPER_OK;
}

deeper_status dp_classifier_prepare(const dp_classifier *classifier, const dp_image *image,
                                    float *tensor, const deeper_allocator *allocator,
                                    deeper_error *error) {
    const dp_preprocess *preprocess = &classifier->session->model->preprocess;
    dp_crop_list list;
    DP_TRY(dp_crops_list(&list, preprocess, image->width, image->height, classifier->first,
                         classifier->last, error));
    return dp_crops_views(&list, preprocess, image, tensor, NULL, allocator, error);
}

/* Runs `count` inputs that lie one after the other; their softmaxes go to out[i] of `places`, or to
 * out[i] where that is NULL. */
static void run_inputs(dp_classifier *classifier, const float *inputs, size_t count, float *out,
                       const int *places) {
    size_t max = (size_t)classifier->session->max_batch, classes = classifier->classes;
    size_t input = dp_preprocess_floats(&classifier->session->model->preprocess);
    for (size_t begin = 0; begin < count; begin += max) {
        size_t now = count - begin < max ? count - begin : max;
        dp_session_run(classifier->session, inputs + begin * input, (int)now, classifier->outputs);
        for (size_t i = 0; i < now; i++)
            memcpy(out + (places ? (size_t)places[begin + i] : begin + i) * classes,
                   classifier->outputs[classifier->softmax] + i * classes, classes * sizeof *out);
    }
}

/* The mirror images that are asked for, made a batch at a time, so that they are in the cache when
 * they are read. */
static void run_mirrors(dp_classifier *classifier, const dp_crop_list *list, const float *views) {
    const dp_preprocess *preprocess = &classifier->session->model->preprocess;
    size_t input = dp_preprocess_floats(preprocess), max = (size_t)classifier->session->max_batch;
    bool wanted[DP_VIEWS_MAX] = { false };
    int places[DP_VIEWS_MAX];
    size_t count = 0, mirrored = 0;
    for (int i = 0; i < list->count; i++)
        wanted[list->crops[i].view] |= list->crops[i].mirrored;
    for (int v = 0; v < list->view_count; v++)
        if (wanted[v])
            places[count++] = v;
    for (size_t i = 0; i < count; i++) {
        dp_crop_mirror(classifier->mirrors + mirrored++ * input, views + (size_t)places[i] * input,
                       preprocess);
        if (mirrored < max && i + 1 < count)
            continue;
        run_inputs(classifier, classifier->mirrors, mirrored,
                   classifier->views + DP_VIEWS_MAX * classifier->classes,
                   places + i + 1 - mirrored);
        mirrored = 0;
    }
}

void dp_classifier_run(dp_classifier *classifier, const float *tensors, size_t stride,
                       const int (*sizes)[2], size_t images) {
    const dp_preprocess *preprocess = &classifier->session->model->preprocess;
    size_t classes = classifier->classes;
    float *softmax = classifier->softmaxes;
    if (classifier->crops == 1 && stride == classifier->picture_floats) {
        run_inputs(classifier, tensors, images, softmax, NULL);
        return;
    }
    for (size_t i = 0; i < images; i++, tensors += stride) {
        dp_crop_list list;
        dp_crops_list(&list, preprocess, sizes[i][0], sizes[i][1], classifier->first,
                      classifier->last, NULL);
        run_inputs(classifier, tensors, (size_t)list.view_count, classifier->views, NULL);
        run_mirrors(classifier, &list, tensors);
        for (int c = 0; c < list.count; c++, softmax += classes) {
            size_t from = (size_t)list.crops[c].view + (list.crops[c].mirrored ? DP_VIEWS_MAX : 0);
            memcpy(softmax, classifier->views + from * classes, classes * sizeof *softmax);
        }
    }
}

deeper_status dp_classifier_check(const dp_classifier *classifier, size_t image,
                                  deeper_error *error) {
    size_t count = classifier->crops * classifier->classes;
    const float *softmaxes = classifier->softmaxes + image * count;
    for (size_t i = 0; i < count; i++)
        if (!isfinite(softmaxes[i]))
            return dp_fail(
                error, DEEPER_ERROR_NUMBER,
                "the network's answer is not a number: weights of the model are none, or "
                "its sums overflow");
    return DEEPER_OK;
}

deeper_status dp_classifier_picture(dp_classifier *classifier, const dp_image *image,
                                    deeper_error *error) {
    const deeper_allocator *allocator = classifier->session->allocator;
    const int size[1][2] = { { image->width, image->height } };
    size_t floats = classifier->picture_floats;
    if (!classifier->picture)
        classifier->picture = dp_alloc_raw(allocator, floats, sizeof *classifier->picture);
    if (!classifier->picture)
        return dp_fail_memory(error, "the crops of a picture");
    DP_TRY(dp_classifier_prepare(classifier, image, classifier->picture, allocator, error));
    dp_classifier_run(classifier, classifier->picture, floats, size, 1);
    return dp_classifier_check(classifier, 0, error);
}

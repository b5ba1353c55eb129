/* batches.c - the loader's stream of pictures cut into batches. */
#include "train/core/batches.h"

#include "data/loader.h"
#include "image/crops.h"
#include "train/core/news.h"

/* `asked` belongs to the loader's threads, what is made once to all, the rest to the consumer. */
struct dp_batches {
    const deeper_allocator *allocator;
    dp_batches_options options;
    dp_decode_options decode;
    dp_budget budget;
    dp_loader *loader;
    size_t asked;  /* position in the order */
    size_t floats; /* of a picture */
    float *tensors, *labels;
    size_t *numbers;
    dp_item *items;
};

void dp_batches_close(dp_batches *b) {
    if (!b)
        return;
    dp_loader_free(b->loader);
    dp_budget_end(&b->budget);
    dp_free(b->allocator, b->tensors);
    dp_free(b->allocator, b->labels);
    dp_free(b->allocator, b->numbers);
    dp_free(b->allocator, b->items);
    dp_free(b->allocator, b);
}

/* The key of a job is the picture's number in the set. */
static int next(void *context, dp_job *job) {
    dp_batches *b = context;
    if (b->asked == b->options.set->dataset->image_count)
        return 0;
    job->key = b->options.order ? b->options.order[b->asked] : b->asked;
    b->asked++;
    return 1;
}

static deeper_status prepare(void *context, dp_item *item, float *tensor, deeper_error *error) {
    const dp_batches *b = context;
    const dp_dataset *data = b->options.set->dataset;
    dp_image image;
    DP_TRY(dp_dataset_read(&image, data, item->key, &b->decode, b->allocator, error));
    deeper_error why = { 0 };
    dp_random random = dp_augment_random(b->options.seed, b->options.epoch, item->key);
    deeper_status status =
        b->options.augment
            ? dp_augment_run(b->options.augment, b->options.preprocess, &image, &random, tensor,
                             b->allocator, &why)
            : dp_preprocess_run(b->options.preprocess, &image, 1, tensor, b->allocator, &why);
    dp_image_free(&image);
    return status == DEEPER_OK
               ? status
               : dp_fail(error, status, "%s: %s", dp_dataset_name(data, item->key), why.message);
}

static deeper_status fill(dp_batches *b, deeper_error *error) {
    const dp_batches_options *options = &b->options;
    size_t batch = (size_t)options->batch, side = (size_t)options->preprocess->size, all = 0;
    b->floats = (size_t)options->preprocess->channels * side * side;
    b->tensors =
        dp_size_mul(b->floats, batch, &all) ? dp_alloc_raw(b->allocator, all, sizeof(float)) : NULL;
    b->labels = dp_alloc(b->allocator, batch, 2 * sizeof(float));
    b->numbers = dp_alloc(b->allocator, batch, sizeof *b->numbers);
    b->items = dp_alloc(b->allocator, batch, sizeof *b->items);
    if (!b->tensors || !b->labels || !b->numbers || !b->items)
        return dp_fail_memory(error, "a batch of pictures");
    b->decode.limits = options->set->limits;
    b->decode.budget = &b->budget;
    if (options->augment)
        b->decode.min_side = dp_augment_min_side(options->augment, options->preprocess);
    const dp_loader_options loader = { .next = next,
                                       .prepare = prepare,
                                       .context = b,
                                       .floats = b->floats,
                                       .readers = options->readers,
                                       .slots = batch + (size_t)options->readers };
    return dp_loader_create(&b->loader, &loader, b->allocator, error);
}

deeper_status dp_batches_open(dp_batches **batches, const dp_batches_options *options,
                              const deeper_allocator *allocator, deeper_error *error) {
    dp_batches *b = dp_alloc(allocator, 1, sizeof *b);
    if (!b)
        return dp_fail_memory(error, "a batch of pictures");
    b->allocator = allocator;
    b->options = *options;
    b->asked = options->begin;
    dp_picture_budget_begin(&b->budget, &options->set->limits);
    deeper_status status = fill(b, error);
    if (status != DEEPER_OK) {
        dp_batches_close(b);
        return status;
    }
    *batches = b;
    return DEEPER_OK;
}

/* One picture that the loader gave: into the batch, or told as unreadable. */
static deeper_status accept(dp_batches *b, dp_batch *batch, const dp_item *item,
                            deeper_error *error) {
    if (item->status == DEEPER_ERROR_MEMORY)
        return dp_fail(error, DEEPER_ERROR_MEMORY, "%s", item->message);
    const dp_picture_set *set = b->options.set;
    if (item->status != DEEPER_OK) {
        if (!set->named || !set->named[item->key])
            dp_tell(b->options.calls, DEEPER_TRAIN_UNREADABLE, "%s", item->message);
        if (set->named)
            set->named[item->key] = true;
        return DEEPER_OK;
    }
    size_t output = set->outputs[set->dataset->images[item->key].class_index];
    float weight = b->options.weights ? b->options.weights[output] : 1;
    b->labels[2 * batch->count] = (float)output;
    b->labels[2 * batch->count + 1] = weight;
    b->numbers[batch->count++] = item->key;
    batch->weight += (double)weight;
    return DEEPER_OK;
}

deeper_status dp_batches_next(dp_batches *b, dp_batch *batch, deeper_error *error) {
    *batch = (dp_batch){ .tensors = b->tensors, .labels = b->labels, .numbers = b->numbers };
    while (batch->taken < b->options.batch) {
        size_t count = 0, room = (size_t)(b->options.batch - batch->taken);
        float *tensors = b->tensors + (size_t)batch->count * b->floats;
        DP_TRY(dp_loader_take(b->loader, room, b->items, tensors, &count, error));
        if (count == 0)
            break;
        deeper_status status = DEEPER_OK;
        for (size_t i = 0; i < count; i++) {
            if (status == DEEPER_OK)
                status = accept(b, batch, &b->items[i], error);
            dp_item_clear(&b->items[i]);
        }
        if (status != DEEPER_OK)
            return status;
        batch->taken += (int)count;
    }
    return DEEPER_OK;
}

/* session.c - making and running a plan. */
#include "session/session.h"

#include "base/float_mode.h"

#include "base/arithmetic.h"

#include <string.h>

enum {
    TEXT_LIMIT = 16 << 20, /* bytes of a printed plan */
    IMAGES_AT_ONCE =
        4 /* at least, and two a thread: more push each other's activations out of the caches */
};

void dp_session_free(dp_session *session) {
    if (!session)
        return;
    const deeper_allocator *allocator = session->allocator;
    dp_pool_free(session->pool);
    dp_plan_free(session->plan);
    dp_free(allocator, session->arena);
    dp_free(allocator, session->outputs);
    dp_free(allocator, session->places);
    dp_buffer_free(&session->text);
    dp_free(allocator, session);
}

/* A model file of a few bytes can name pictures of any size. */
static deeper_status check_memory(const dp_session *session, uint64_t max_memory,
                                  deeper_error *error) {
    uint64_t bytes = dp_plan_arena_bytes(session->plan),
             limit = max_memory ? max_memory : (uint64_t)session->at_once * DP_IMAGE_MEGABYTES;
    if (max_memory)
        bytes += dp_plan_packed_bytes(session->plan);
    if (bytes <= limit << 20)
        return DEEPER_OK;
    return dp_fail(
        error, DEEPER_ERROR_LIMIT,
        "max_memory: %s takes %llu MB to run (images at once: %d), more than the limit of "
        "%llu MB",
        session->model->architecture, (unsigned long long)(bytes >> 20) + 1, session->at_once,
        (unsigned long long)limit);
}

static deeper_status make_plan(dp_session *session, dp_packs *packs,
                               const dp_session_options *given, deeper_error *error) {
    const dp_model *model = session->model;
    const dp_plan_options options = {
        .kernels = session->kernels,
        .max_batch = session->at_once,
        .threads = session->threads,
        .outputs = session->outputs,
        .output_count = session->output_count,
        .direct = given->direct,
        .tuning = given->tuning,
        .pass = given->pass,
        .text = &session->text,
    };
    DP_TRY(dp_plan_create(&session->plan, model->graph, model->values, packs, &options,
                          session->allocator, error));
    if (!given->pass)
        dp_plan_print(session->plan, &session->text);
    if (session->text.failed)
        return dp_fail_memory(error, "the text of the plan");
    DP_TRY(check_memory(session, given->max_memory, error));
    session->arena = dp_alloc_raw(session->allocator, dp_plan_arena_bytes(session->plan), 1);
    if (!session->arena)
        return dp_fail(
            error, DEEPER_ERROR_MEMORY,
            "out of memory for the activations, %zu bytes; a smaller max_batch needs less",
            dp_plan_arena_bytes(session->plan));
    /* The weights are packed: a map's pages are not read again soon. */
    dp_map_release_pages(&model->map);
    return DEEPER_OK;
}

static deeper_status fill(dp_session *session, dp_packs *packs, const dp_session_options *options,
                          deeper_error *error) {
    dp_isa isa = DP_ISA_PORTABLE;
    DP_TRY(dp_isa_select(&isa, error));
    DP_TRY(dp_threads_select(&session->threads, options->threads, error));
    session->kernels = dp_kernels_for(isa);
    session->max_batch = options->max_batch ? options->max_batch : 1;
    DP_TRY(dp_check_batch(session->max_batch, error));
    session->at_once = dp_min(dp_max(session->threads * 2, IMAGES_AT_ONCE), session->max_batch);
    session->output_count = options->output_count;
    session->outputs =
        dp_alloc_raw(session->allocator, (size_t)options->output_count, sizeof *session->outputs);
    session->places =
        dp_alloc_raw(session->allocator, (size_t)options->output_count, sizeof *session->places);
    if (!session->outputs || !session->places)
        return dp_fail_memory(error, "the list of outputs");
    memcpy(session->outputs, options->outputs,
           (size_t)options->output_count * sizeof *session->outputs);
    DP_TRY(make_plan(session, packs, options, error));
    return dp_pool_create(&session->pool, session->allocator, session->threads, error);
}

deeper_status dp_session_create(dp_session **out, const dp_model *model, dp_packs *packs,
                                const dp_session_options *options, deeper_error *error) {
    if (!model->values)
        return dp_fail(
            error, DEEPER_ERROR_ARGUMENT,
            "%s: the model has no parameter values; open a file of weights or initialize it",
            model->architecture);
    dp_session *session = dp_alloc(model->allocator, 1, sizeof *session);
    if (!session)
        return dp_fail_memory(error, "the session");
    session->allocator = model->allocator;
    session->model = model;
    dp_buffer_init(&session->text, model->allocator, TEXT_LIMIT);
    deeper_status status = fill(session, packs, options, error);
    if (status != DEEPER_OK) {
        dp_session_free(session);
        return status;
    }
    *out = session;
    return DEEPER_OK;
}

dp_shape dp_session_output(const dp_session *session, int index) {
    return session->model->graph->nodes[session->outputs[index]].shape;
}

void dp_session_run(dp_session *session, const float *input, int count, float *const *outputs) {
    size_t image = dp_shape_floats(dp_model_input(session->model));
    uint64_t mode = dp_float_mode_enter();
    dp_pool_resume(session->pool);
    for (int done = 0; done < count; done += session->at_once) {
        const float *in = input + (size_t)done * image;
        for (int i = 0; i < session->output_count; i++)
            session->places[i] =
                outputs[i] + (size_t)done * dp_shape_floats(dp_session_output(session, i));
        const dp_plan_call call = { .count = count - done < session->at_once ? count - done
                                                                             : session->at_once,
                                    .inputs = &in,
                                    .outputs = session->places,
                                    .profile = session->profile };
        dp_plan_run(session->plan, session->pool, session->arena, &call);
    }
    dp_float_mode_leave(mode);
}

/* session.c - deeper_session: layers by name, a run with its arguments checked. */
#include "api/handles.h"
#include "session/open.h"

#include <string.h>

void deeper_session_free(deeper_session *session) {
    if (!session)
        return;
    deeper_model *model = session->model;
    dp_classifier_free(session->classifier);
    dp_session_free(session->session);
    dp_free(model->owner.allocator, session);
    atomic_fetch_sub(&model->sessions, 1);
}

deeper_status deeper_session_create(deeper_session **session, const deeper_model *model,
                                    const deeper_session_options *options, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(session, "session", error));
    *session = NULL;
    DP_TRY(dp_need(model, "model", error));
    deeper_session_options taken = DEEPER_SESSION_OPTIONS_INIT;
    DP_TRY(dp_options_read(&taken, sizeof taken, options, "deeper_session_options", error));
    if (taken.outputs ? taken.output_count == 0 || taken.output_count > model->layer_count
                      : taken.output_count != 0)
        return dp_fail(
            error, DEEPER_ERROR_ARGUMENT,
            "output_count is %zu; it is the number of names in outputs, 1 to %zu, or 0 with NULL",
            taken.output_count, model->layer_count);
    deeper_session *created = dp_alloc(model->owner.allocator, 1, sizeof *created);
    if (!created)
        return dp_fail_memory(error, "the session");
    created->model =
        (deeper_model *)model; /* const for the caller; only the count of sessions is written */
    atomic_fetch_add(&created->model->sessions, 1);
    deeper_status status =
        dp_session_open(&created->session, model->model, model->packs, &taken, error);
    if (status != DEEPER_OK) {
        deeper_session_free(created);
        return status;
    }
    *session = created;
    return DEEPER_OK;
}

size_t deeper_session_output_size(const deeper_session *session, size_t index, int shape[3]) {
    if (!session || index >= (size_t)session->session->output_count)
        return 0;
    dp_shape output = dp_session_output(session->session, (int)index);
    if (shape) {
        shape[0] = output.c;
        shape[1] = output.h;
        shape[2] = output.w;
    }
    return dp_shape_floats(output);
}

deeper_status deeper_session_run(deeper_session *session, const float *input, int count,
                                 float *const *outputs, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(session, "session", error));
    DP_TRY(dp_need(input, "input", error));
    DP_TRY(dp_need(outputs, "outputs", error));
    dp_session *inner = session->session;
    if (count < 1 || count > inner->max_batch)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "count is %d; the session takes 1 to %d images, its max_batch", count,
                       inner->max_batch);
    for (int i = 0; i < inner->output_count; i++)
        if (!outputs[i])
            return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                           "outputs[%d] is NULL; the session returns %d", i, inner->output_count);
    dp_session_run(inner, input, count, outputs);
    return DEEPER_OK;
}

const char *deeper_session_plan(const deeper_session *session) {
    return session ? session->session->text.data : "";
}

const char *deeper_plan_passes(void) {
    return dp_plan_passes();
}

void deeper_session_memory(const deeper_session *session, size_t *arena_bytes,
                           size_t *packed_bytes) {
    if (arena_bytes)
        *arena_bytes = session ? dp_plan_arena_bytes(session->session->plan) : 0;
    if (packed_bytes)
        *packed_bytes = session ? dp_plan_packed_bytes(session->session->plan) : 0;
}

const char *deeper_session_isa(const deeper_session *session) {
    return session ? dp_isa_name(session->session->kernels->isa) : "";
}

int deeper_session_threads(const deeper_session *session) {
    return session ? session->session->threads : 0;
}

deeper_status deeper_session_set_threads(deeper_session *session, int threads,
                                         deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(session, "session", error));
    if (threads < 1 || threads > session->session->threads)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "threads is %d; the session was made with %d, so 1 to %d are possible",
                       threads, session->session->threads, session->session->threads);
    dp_pool_set_active(session->session->pool, threads);
    return DEEPER_OK;
}

int deeper_session_tuned(const deeper_session *session) {
    int tuned = 0;
    for (int i = 0; session && i < dp_plan_steps(session->session->plan); i++)
        tuned += dp_plan_step_at(session->session->plan, i).chosen.tuned;
    return tuned;
}

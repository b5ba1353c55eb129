/* open.c - see open.h. */
#include "session/open.h"

#include "formats/tuning.h"

/* The node of an output that the caller named. */
static deeper_status find_output(const dp_graph *graph, const char *name, int *node,
                                 deeper_error *error) {
    DP_TRY(dp_need(name, "outputs: a name", error));
    *node = dp_graph_find(graph, name);
    if (*node < 0)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "outputs: the model has no layer \"%s\"",
                       name);
    if (graph->nodes[*node].op == DP_OP_PARAMETER || graph->nodes[*node].op == DP_OP_INPUT)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "outputs: \"%s\" is not computed by the network but given to it", name);
    return DEEPER_OK;
}

static deeper_status find_outputs(const dp_graph *graph, const deeper_session_options *options,
                                  int *nodes, deeper_error *error) {
    for (size_t i = 0; i < options->output_count; i++) {
        DP_TRY(find_output(graph, options->outputs[i], &nodes[i], error));
        for (size_t j = 0; j < i; j++)
            if (nodes[j] == nodes[i])
                return dp_fail(error, DEEPER_ERROR_ARGUMENT, "outputs: \"%s\" is there twice",
                               options->outputs[i]);
    }
    return DEEPER_OK;
}

deeper_status dp_session_open_nodes(dp_session **session, const dp_model *model, dp_packs *packs,
                                    const deeper_session_options *options, const int *nodes,
                                    int count, deeper_error *error) {
    dp_tuning tuning = { .allocator = model->allocator };
    const dp_session_options inner = { .max_batch = options->max_batch,
                                       .threads = options->threads,
                                       .max_memory = options->max_memory,
                                       .direct = options->direct != 0,
                                       .tuning = &tuning,
                                       .outputs = nodes,
                                       .output_count = count,
                                       .pass = options->plan_pass };
    deeper_status status = options->tuning
                               ? dp_tuning_read(&tuning, options->tuning, model->allocator, error)
                               : DEEPER_OK;
    if (status != DEEPER_OK && error) {
        const deeper_error inner_error = *error;
        status =
            dp_fail_at(error, status, inner_error.offset, "tuning: %.490s", inner_error.message);
    }
    if (status == DEEPER_OK)
        status = dp_session_create(session, model, packs, &inner, error);
    dp_tuning_free(&tuning);
    return status;
}

deeper_status dp_session_open(dp_session **session, const dp_model *model, dp_packs *packs,
                              const deeper_session_options *options, deeper_error *error) {
    if (!options->outputs)
        return dp_session_open_nodes(session, model, packs, options, &model->prob, 1, error);
    int *nodes = dp_alloc_raw(model->allocator, options->output_count, sizeof *nodes);
    if (!nodes)
        return dp_fail_memory(error, "the list of outputs");
    deeper_status status = find_outputs(model->graph, options, nodes, error);
    if (status == DEEPER_OK)
        status = dp_session_open_nodes(session, model, packs, options, nodes,
                                       (int)options->output_count, error);
    dp_free(model->allocator, nodes);
    return status;
}

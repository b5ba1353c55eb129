/* bands.c - which part of the input each panel of a convolution in groups reads: the channels of
 * its outputs' groups lie side by side, so a panel multiplies a band of them instead of all. All
 * bands are as wide as the widest has to be, which leaves packed panels of one size; what is in
 * them and not of an output's group is multiplied by zeros. Letters: C K input and output channels,
 * G groups, L lanes. */
#include "plan/conv/conv.h"

/* Channel blocks (planar: channels) begin..end-1 of the input. */
typedef struct band {
    int begin, end;
} band;

/* Output k reads the C/G channels from k / (K/G) * (C/G) on. */
static band read_by(const dp_conv_weights *w, int lanes, int first_block, int blocks) {
    const int outputs = w->sources[0].outputs, group_outputs = outputs / w->groups,
              group_channels = w->channels / w->groups;
    const int plane = w->planar ? 1 : lanes, end = (first_block + blocks) * lanes,
              last = dp_min(end, outputs) - 1;
    return (band){ first_block * lanes / group_outputs * group_channels / plane,
                   dp_blocks((last / group_outputs + 1) * group_channels, plane) };
}

int dp_conv_band(const dp_conv_weights *weights, int lanes, int max_blocks) {
    int widest = 1;
    if (weights->groups == 1)
        return dp_blocks(weights->channels, weights->planar ? 1 : lanes);
    for (int block = 0; block < weights->blocks; block += max_blocks) {
        const int left = weights->blocks - block;
        const band reads = read_by(weights, lanes, block, dp_min(left, max_blocks));
        widest = reads.end - reads.begin > widest ? reads.end - reads.begin : widest;
    }
    return widest;
}

deeper_status dp_conv_make_bands(dp_plan *plan, dp_conv_weights *weights, deeper_error *error) {
    const int lanes = plan->kernels->lanes,
              planes = dp_blocks(weights->channels, weights->planar ? 1 : lanes);
    int widest = 1, block = 0;
    if (weights->groups == 1)
        return DEEPER_OK;
    weights->first_of =
        dp_alloc(plan->allocator, (size_t)weights->panel_count, sizeof *weights->first_of);
    if (!weights->first_of)
        return dp_fail_memory(error, "the bands of a convolution");
    for (int p = 0; p < weights->panel_count; block += weights->panels[p++]) {
        const band reads = read_by(weights, lanes, block, weights->panels[p]);
        weights->first_of[p] = reads.begin;
        widest = reads.end - reads.begin > widest ? reads.end - reads.begin : widest;
    }
    for (int p = 0; p < weights->panel_count; p++) /* no band ends behind the input */
        if (weights->first_of[p] > planes - widest)
            weights->first_of[p] = planes - widest;
    weights->band = widest;
    return DEEPER_OK;
}

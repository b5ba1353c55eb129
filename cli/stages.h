/* stages.h - a network as the rows of the paper's Table 1. What a row says is derived from the
 * graph (which layer reads which); names only say which layers belong together. */
#ifndef CLI_STAGES_H
#define CLI_STAGES_H

#include <deeper/deeper.h>

#include <stdbool.h>

/* The widths that Table 1 lists of an Inception module. */
enum { CLI_1X1, CLI_REDUCE3, CLI_3X3, CLI_REDUCE5, CLI_5X5, CLI_PROJECTION, CLI_WIDTHS };

/* The layers whose names have one first part ("inception_3a"), heads apart from the rest. */
typedef struct cli_stage {
    const char *name;
    int name_length;
    const char *kind; /* "inception", "head", or the operation that gives the row its character */
    bool auxiliary;
    int window_height, window_width, stride; /* of that operation; 0: none */
    int channels, height, width;             /* of its output */
    int depth; /* layers with parameters on the longest way through it */
    int widths[CLI_WIDTHS];
    uint64_t parameters, multiply_adds;
} cli_stage;

typedef struct cli_stages {
    cli_stage *rows; /* without those that only activate */
    size_t count;
    int depth; /* of the network as inference runs it */
} cli_stages;

/* False: memory is out. */
bool cli_stages_of(cli_stages *stages, const deeper_model *model);
void cli_stages_free(cli_stages *stages);

#endif

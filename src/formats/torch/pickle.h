/* pickle.h - Python's pickle as data: the part of its instructions that files of tensors need, with
 * nothing behind them. A pickle is a program that may name any function and call it; here a name
 * that is not in the caller's table is refused by name, and a call of one that is only leaves the
 * name and the arguments side by side. Nothing is ever run, imported or looked up.
 *
 * Instructions read: those of protocol 2 to 5 that build None, truth values, integers of up to 64
 * bits, floats, texts, tuples, lists and dictionaries, the memo, GLOBAL, REDUCE, BUILD (whose state
 * is dropped) and persistent ids. */
#ifndef DP_FORMATS_PICKLE_H
#define DP_FORMATS_PICKLE_H

#include "base/memory.h"

enum { DP_PICKLE_VALUES = 1 << 20 }; /* a pickle may make this many values, and memo entries */

typedef enum dp_pickle_kind {
    DP_PICKLE_NONE,
    DP_PICKLE_BOOL,
    DP_PICKLE_INT,
    DP_PICKLE_FLOAT,
    DP_PICKLE_TEXT,
    DP_PICKLE_TUPLE,
    DP_PICKLE_LIST,
    DP_PICKLE_DICT,      /* also what a call of a global that makes one left */
    DP_PICKLE_GLOBAL,    /* a name of the caller's table */
    DP_PICKLE_CALL,      /* such a name and a tuple of arguments */
    DP_PICKLE_PERSISTENT /* what a persistent id was made of */
} dp_pickle_kind;

/* A name that a pickle may say. */
typedef struct dp_pickle_global {
    const char *module, *name;
    bool dictionary; /* a call of it makes a dictionary, its arguments dropped */
} dp_pickle_global;

typedef struct dp_pickle_value {
    dp_pickle_kind kind;
    int first, last; /* TUPLE, LIST, DICT (key, value, key, ...): links; CALL: first is the value of
                        the arguments; PERSISTENT: of the id */
    int count;       /* elements; DICT: keys and values */
    int global;      /* GLOBAL, CALL: the row */
    int64_t integer; /* BOOL, INT */
    const char *text; /* TEXT: `size` bytes in the pickle, not ended by a zero */
    size_t size;
} dp_pickle_value;

typedef struct dp_pickle_link {
    int value, next; /* -1: the last */
} dp_pickle_link;

typedef struct dp_pickle {
    const deeper_allocator *allocator;
    dp_pickle_value *values; /* a value may be in several places, also in itself */
    dp_pickle_link *links;
    size_t value_count, value_capacity, link_count, link_capacity;
    int root;
    size_t size; /* bytes of the pickle, up to its STOP */
} dp_pickle;

/* Reads the pickle that bytes[size] begin with; texts point into it, so it must outlive *pickle.
 * `file` stands for it in messages. Time and memory are in proportion to the pickle, at most
 * DP_PICKLE_VALUES values. Errors: FORMAT, UNSUPPORTED (an instruction, or "asks to call os.system;
 * refused"), LIMIT, MEMORY; *pickle is then empty. */
deeper_status dp_pickle_parse(dp_pickle *pickle, const unsigned char *bytes, size_t size,
                              const dp_pickle_global *globals, size_t global_count,
                              const char *file, const deeper_allocator *allocator,
                              deeper_error *error);
void dp_pickle_free(dp_pickle *pickle);

/* Element `index` of a tuple, list, or a dictionary's keys and values; -1 past the last. */
int dp_pickle_element(const dp_pickle *pickle, int value, int index);

/* Whether a value is this text. */
bool dp_pickle_is_text(const dp_pickle *pickle, int value, const char *text);

#endif

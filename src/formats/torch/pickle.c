/* pickle.c - a stack machine without a machine: values, a stack of their numbers, marks, a memo.
 * Each instruction is a row of one table; what is not in it is refused. Numbers of values take the
 * place of pointers, so a loop costs nothing. */
#include "formats/torch/pickle.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { MARK = -1, MAX_INTEGER = 8 };

typedef struct machine {
    dp_pickle *pickle;
    const unsigned char *begin, *at, *end;
    const dp_pickle_global *globals;
    size_t global_count;
    int *stack; /* numbers of values, MARK */
    size_t depth, stack_capacity;
    int *memo; /* value + 1; 0: none */
    size_t memo_count, memo_capacity;
    bool stopped;
    const char *file;
    deeper_error *error;
} machine;

static deeper_status fail(const machine *m, deeper_status status, const char *what) {
    return dp_fail_at(m->error, status, m->at - m->begin, "%s: its pickle, byte %zu: %s", m->file,
                      (size_t)(m->at - m->begin), what);
}

static deeper_status fail_short(const machine *m) {
    return fail(m, DEEPER_ERROR_FORMAT, "cut short; fetch or write the file again");
}

/* --------------------------------------------------------------------------------------- values */

static dp_pickle_value *value_at(const machine *m, int value) {
    return &m->pickle->values[value];
}

/* A new value of a kind; its number. */
static deeper_status make(machine *m, dp_pickle_kind kind, int *value) {
    dp_pickle *pickle = m->pickle;
    *value = -1;
    if (pickle->value_count == DP_PICKLE_VALUES)
        return fail(m, DEEPER_ERROR_LIMIT, "more than 1,048,576 values; save the state dict alone");
    void *values = pickle->values;
    if (!dp_reserve(pickle->allocator, &values, &pickle->value_capacity, pickle->value_count + 1,
                    sizeof *pickle->values))
        return dp_fail_memory(m->error, "the values of a pickle");
    pickle->values = values;
    *value = (int)pickle->value_count++;
    pickle->values[*value] =
        (dp_pickle_value){ .kind = kind, .first = -1, .last = -1, .global = -1 };
    return DEEPER_OK;
}

static deeper_status push(machine *m, int value) {
    void *stack = m->stack;
    if (!dp_reserve(m->pickle->allocator, &stack, &m->stack_capacity, m->depth + 1,
                    sizeof *m->stack))
        return dp_fail_memory(m->error, "the stack of a pickle");
    m->stack = stack;
    m->stack[m->depth++] = value;
    return DEEPER_OK;
}

static deeper_status push_new(machine *m, dp_pickle_kind kind, dp_pickle_value **created) {
    int value;
    *created = NULL;
    DP_TRY(make(m, kind, &value));
    *created = value_at(m, value);
    return push(m, value);
}

/* The top of the stack, which must be a value. */
static deeper_status pop(machine *m, int *value) {
    *value = MARK;
    if (m->depth == 0 || m->stack[m->depth - 1] == MARK)
        return fail(m, DEEPER_ERROR_FORMAT, "takes a value from an empty stack");
    *value = m->stack[--m->depth];
    return DEEPER_OK;
}

/* The place after the last mark. */
static deeper_status find_mark(const machine *m, size_t *place) {
    for (*place = m->depth; *place > 0; --*place)
        if (m->stack[*place - 1] == MARK)
            return DEEPER_OK;
    return fail(m, DEEPER_ERROR_FORMAT, "a mark is missing");
}

static deeper_status append(machine *m, int container, int element) {
    dp_pickle *pickle = m->pickle;
    void *links = pickle->links;
    if (pickle->link_count == 2 * (size_t)DP_PICKLE_VALUES)
        return fail(m, DEEPER_ERROR_LIMIT,
                    "more than 2,097,152 elements; save the state dict alone");
    if (!dp_reserve(pickle->allocator, &links, &pickle->link_capacity, pickle->link_count + 1,
                    sizeof *pickle->links))
        return dp_fail_memory(m->error, "the elements of a pickle");
    pickle->links = links;
    int link = (int)pickle->link_count++;
    pickle->links[link] = (dp_pickle_link){ element, -1 };
    dp_pickle_value *to = value_at(m, container);
    if (to->count++ == 0)
        to->first = link;
    else
        pickle->links[to->last].next = link;
    to->last = link;
    return DEEPER_OK;
}

/* Moves the stack from `place` on into a container. */
static deeper_status append_from(machine *m, int container, size_t place) {
    for (size_t i = place; i < m->depth; i++)
        DP_TRY(append(m, container, m->stack[i]));
    m->depth = place;
    return DEEPER_OK;
}

/* -------------------------------------------------------------------------------- reading bytes */

static deeper_status take(machine *m, size_t size, const unsigned char **bytes) {
    *bytes = m->at;
    if (size > (size_t)(m->end - m->at))
        return fail_short(m);
    m->at += size;
    return DEEPER_OK;
}

static deeper_status take_number(machine *m, size_t size, uint64_t *number) {
    const unsigned char *bytes;
    *number = 0;
    DP_TRY(take(m, size, &bytes));
    for (size_t i = size; i > 0; i--)
        *number = *number << 8 | bytes[i - 1];
    return DEEPER_OK;
}

/* A line, as GLOBAL has its two names: without its newline. */
static deeper_status take_line(machine *m, const char **text, size_t *size) {
    const unsigned char *newline =
        m->at < m->end ? memchr(m->at, '\n', (size_t)(m->end - m->at)) : NULL;
    if (!newline)
        return fail_short(m);
    *text = (const char *)m->at;
    *size = (size_t)(newline - m->at);
    m->at = newline + 1;
    return DEEPER_OK;
}

/* --------------------------------------------------------------------------------- instructions */

static deeper_status do_proto(machine *m, int argument) {
    uint64_t version;
    DP_TRY(take_number(m, 1, &version));
    return version <= 5 ? DEEPER_OK : fail(m, DEEPER_ERROR_UNSUPPORTED, "a protocol above 5");
}

/* The length of a frame says nothing that the instructions in it do not. */
static deeper_status do_frame(machine *m, int argument) {
    uint64_t unused;
    return take_number(m, 8, &unused);
}

static deeper_status do_stop(machine *m, int argument) {
    DP_TRY(pop(m, &m->pickle->root));
    if (m->depth != 0)
        return fail(m, DEEPER_ERROR_FORMAT, "ends with values left over");
    m->stopped = true;
    return DEEPER_OK;
}

static deeper_status do_mark(machine *m, int argument) {
    return push(m, MARK);
}

static deeper_status do_pop(machine *m, int argument) {
    if (m->depth == 0)
        return fail(m, DEEPER_ERROR_FORMAT, "takes a value from an empty stack");
    m->depth--;
    return DEEPER_OK;
}

static deeper_status do_pop_mark(machine *m, int argument) {
    size_t place;
    DP_TRY(find_mark(m, &place));
    m->depth = place - 1;
    return DEEPER_OK;
}

static deeper_status do_dup(machine *m, int argument) {
    int value;
    DP_TRY(pop(m, &value));
    DP_TRY(push(m, value));
    return push(m, value);
}

/* argument: the kind of an empty container, or of None. */
static deeper_status do_empty(machine *m, int argument) {
    dp_pickle_value *unused;
    return push_new(m, (dp_pickle_kind)argument, &unused);
}

static deeper_status do_bool(machine *m, int argument) {
    dp_pickle_value *value = NULL;
    DP_TRY(push_new(m, DP_PICKLE_BOOL, &value));
    value->integer = argument;
    return DEEPER_OK;
}

/* argument: bytes; four are signed, fewer are not. */
static deeper_status do_integer(machine *m, int argument) {
    uint64_t number;
    dp_pickle_value *value = NULL;
    DP_TRY(take_number(m, (size_t)argument, &number));
    DP_TRY(push_new(m, DP_PICKLE_INT, &value));
    value->integer = argument == 4 ? (int32_t)(uint32_t)number : (int64_t)number;
    return DEEPER_OK;
}

/* A length of one byte, then that many bytes of a signed number. */
static deeper_status do_long(machine *m, int argument) {
    uint64_t size, number;
    dp_pickle_value *value = NULL;
    DP_TRY(take_number(m, 1, &size));
    if (size > MAX_INTEGER)
        return fail(m, DEEPER_ERROR_UNSUPPORTED, "an integer of more than 64 bits");
    DP_TRY(take_number(m, (size_t)size, &number));
    if (size > 0 && size < MAX_INTEGER && number >> (8 * size - 1))
        number |= ~(uint64_t)0 << 8 * size;
    DP_TRY(push_new(m, DP_PICKLE_INT, &value));
    value->integer = (int64_t)number;
    return DEEPER_OK;
}

/* Nothing that is read here is a float; only that there is one. */
static deeper_status do_float(machine *m, int argument) {
    const unsigned char *unused;
    dp_pickle_value *value = NULL;
    DP_TRY(take(m, 8, &unused));
    return push_new(m, DP_PICKLE_FLOAT, &value);
}

/* argument: bytes of the length before the text. */
static deeper_status do_text(machine *m, int argument) {
    uint64_t size;
    const unsigned char *bytes;
    dp_pickle_value *value = NULL;
    DP_TRY(take_number(m, (size_t)argument, &size));
    if (size > (uint64_t)(m->end - m->at))
        return fail_short(m);
    DP_TRY(take(m, (size_t)size, &bytes));
    DP_TRY(push_new(m, DP_PICKLE_TEXT, &value));
    value->text = (const char *)bytes;
    value->size = (size_t)size;
    return DEEPER_OK;
}

/* argument: elements; -1: those after the mark. */
static deeper_status do_tuple(machine *m, int argument) {
    size_t place = 0;
    int value;
    if (argument < 0) {
        DP_TRY(find_mark(m, &place));
    } else {
        for (int i = 1; i <= argument; i++)
            if (m->depth < (size_t)i || m->stack[m->depth - (size_t)i] == MARK)
                return fail(m, DEEPER_ERROR_FORMAT, "takes a value from an empty stack");
        place = m->depth - (size_t)argument;
    }
    DP_TRY(make(m, DP_PICKLE_TUPLE, &value));
    DP_TRY(append_from(m, value, place));
    if (argument < 0)
        m->depth--; /* the mark */
    return push(m, value);
}

/* Elements into the container below them. argument: how many (1: one element, 2: a key and its
 * value), -2 and -1: all after the mark, of a dictionary and of a list. */
static deeper_status do_fill(machine *m, int argument) {
    dp_pickle_kind kind = argument == 2 || argument == -2 ? DP_PICKLE_DICT : DP_PICKLE_LIST;
    size_t place = 0, below = 0;
    if (argument < 0) {
        DP_TRY(find_mark(m, &place));
        below = place - 1; /* the mark's */
    } else {
        if (m->depth < (size_t)argument)
            return fail(m, DEEPER_ERROR_FORMAT, "takes a value from an empty stack");
        below = place = m->depth - (size_t)argument;
        for (size_t i = place; i < m->depth; i++)
            if (m->stack[i] == MARK)
                return fail(m, DEEPER_ERROR_FORMAT, "takes a value from an empty stack");
    }
    int container = below > 0 ? m->stack[below - 1] : MARK;
    if (container == MARK || value_at(m, container)->kind != kind
        || (kind == DP_PICKLE_DICT && (m->depth - place) % 2))
        return fail(m, DEEPER_ERROR_FORMAT,
                    kind == DP_PICKLE_DICT ? "puts pairs into what is no dictionary"
                                           : "puts elements into what is no list");
    DP_TRY(append_from(m, container, place));
    m->depth = below;
    return DEEPER_OK;
}

/* argument: bytes of the index; 0: the next free one. */
static deeper_status do_put(machine *m, int argument) {
    uint64_t index = m->memo_count;
    int value;
    if (argument)
        DP_TRY(take_number(m, (size_t)argument, &index));
    if (index >= DP_PICKLE_VALUES)
        return fail(m, DEEPER_ERROR_LIMIT,
                    "a memo of more than 1,048,576 entries; save the state dict alone");
    DP_TRY(pop(m, &value));
    DP_TRY(push(m, value));
    void *memo = m->memo;
    if (!dp_reserve(m->pickle->allocator, &memo, &m->memo_capacity, (size_t)index + 1,
                    sizeof *m->memo))
        return dp_fail_memory(m->error, "the memo of a pickle");
    m->memo = memo;
    m->memo[index] = value + 1;
    m->memo_count = index + 1 > m->memo_count ? (size_t)index + 1 : m->memo_count;
    return DEEPER_OK;
}

static deeper_status do_get(machine *m, int argument) {
    uint64_t index;
    DP_TRY(take_number(m, (size_t)argument, &index));
    if (index >= m->memo_count || m->memo[index] == 0)
        return fail(m, DEEPER_ERROR_FORMAT, "asks for a memo entry that is not there");
    return push(m, m->memo[index] - 1);
}

/* Whether `name` is `text`, which is no longer than a name may be. */
static bool same(const char *name, const char *text, size_t size) {
    return strlen(name) == size && memcmp(name, text, size) == 0;
}

static deeper_status push_global(machine *m, const char *module, size_t module_size,
                                 const char *name, size_t name_size) {
    for (size_t i = 0; i < m->global_count; i++) {
        dp_pickle_value *value = NULL;
        if (!same(m->globals[i].module, module, module_size)
            || !same(m->globals[i].name, name, name_size))
            continue;
        DP_TRY(push_new(m, DP_PICKLE_GLOBAL, &value));
        value->global = (int)i;
        return DEEPER_OK;
    }
    return dp_fail_at(
        m->error, DEEPER_ERROR_UNSUPPORTED, m->at - m->begin,
        "%s: its pickle asks to call %.*s.%.*s; refused. In Python, save the state dict alone: "
        "torch.save(model.state_dict(), \"weights.pth\")",
        m->file, (int)(module_size < 80 ? module_size : 80), module,
        (int)(name_size < 80 ? name_size : 80), name);
}

static deeper_status do_global(machine *m, int argument) {
    const char *module = NULL, *name = NULL;
    size_t module_size = 0, name_size = 0;
    DP_TRY(take_line(m, &module, &module_size));
    DP_TRY(take_line(m, &name, &name_size));
    return push_global(m, module, module_size, name, name_size);
}

static deeper_status do_stack_global(machine *m, int argument) {
    int module, name;
    DP_TRY(pop(m, &name));
    DP_TRY(pop(m, &module));
    const dp_pickle_value *a = value_at(m, module), *b = value_at(m, name);
    if (a->kind != DP_PICKLE_TEXT || b->kind != DP_PICKLE_TEXT)
        return fail(m, DEEPER_ERROR_FORMAT, "a global whose name is no text");
    return push_global(m, a->text, a->size, b->text, b->size);
}

static deeper_status do_reduce(machine *m, int argument) {
    int arguments, callee;
    dp_pickle_value *value = NULL;
    DP_TRY(pop(m, &arguments));
    DP_TRY(pop(m, &callee));
    if (value_at(m, callee)->kind != DP_PICKLE_GLOBAL
        || value_at(m, arguments)->kind != DP_PICKLE_TUPLE)
        return fail(m, DEEPER_ERROR_FORMAT, "calls what is no function");
    int global = value_at(m, callee)->global;
    bool dictionary = m->globals[global].dictionary;
    DP_TRY(push_new(m, dictionary ? DP_PICKLE_DICT : DP_PICKLE_CALL, &value));
    value->global = global;
    value->first = dictionary ? -1 : arguments;
    return DEEPER_OK;
}

/* The state of an object: of dictionaries torch keeps _metadata, versions of its modules, there. */
static deeper_status do_build(machine *m, int argument) {
    int state, object;
    DP_TRY(pop(m, &state));
    DP_TRY(pop(m, &object));
    if (value_at(m, object)->kind != DP_PICKLE_DICT)
        return fail(m, DEEPER_ERROR_UNSUPPORTED,
                    "sets the state of an object; refused. Save the state dict alone");
    return push(m, object);
}

static deeper_status do_persistent(machine *m, int argument) {
    int id;
    dp_pickle_value *value = NULL;
    DP_TRY(pop(m, &id));
    DP_TRY(push_new(m, DP_PICKLE_PERSISTENT, &value));
    value->first = id;
    return DEEPER_OK;
}

static const struct {
    unsigned char code;
    deeper_status (*run)(machine *m, int argument);
    int argument;
} instructions[] = {
    { 0x80, do_proto, 0 },
    { 0x95, do_frame, 0 },
    { '.', do_stop, 0 },
    { '(', do_mark, 0 },
    { '0', do_pop, 0 },
    { '1', do_pop_mark, 0 },
    { '2', do_dup, 0 },
    { 'N', do_empty, DP_PICKLE_NONE },
    { ')', do_empty, DP_PICKLE_TUPLE },
    { ']', do_empty, DP_PICKLE_LIST },
    { '}', do_empty, DP_PICKLE_DICT },
    { 0x88, do_bool, true },
    { 0x89, do_bool, false },
    { 'K', do_integer, 1 },
    { 'M', do_integer, 2 },
    { 'J', do_integer, 4 },
    { 0x8A, do_long, 0 },
    { 'G', do_float, 0 },
    { 0x8C, do_text, 1 },
    { 'X', do_text, 4 },
    { 0x8D, do_text, 8 },
    { 'U', do_text, 1 }, /* Python 2's */
    { 'T', do_text, 4 },
    { 0x85, do_tuple, 1 },
    { 0x86, do_tuple, 2 },
    { 0x87, do_tuple, 3 },
    { 't', do_tuple, -1 },
    { 'a', do_fill, 1 },
    { 's', do_fill, 2 },
    { 'e', do_fill, -1 },
    { 'u', do_fill, -2 },
    { 'q', do_put, 1 },
    { 'r', do_put, 4 },
    { 0x94, do_put, 0 },
    { 'h', do_get, 1 },
    { 'j', do_get, 4 },
    { 'c', do_global, 0 },
    { 0x93, do_stack_global, 0 },
    { 'R', do_reduce, 0 },
    { 'b', do_build, 0 },
    { 'Q', do_persistent, 0 },
};

static deeper_status step(machine *m) {
    const unsigned char *code;
    DP_TRY(take(m, 1, &code));
    for (size_t i = 0; i < sizeof instructions / sizeof *instructions; i++)
        if (instructions[i].code == *code)
            return instructions[i].run(m, instructions[i].argument);
    char what[80];
    snprintf(what, sizeof what, "instruction 0x%02X '%c' is refused: no state dict has it", *code,
             isprint(*code) ? *code : '?');
    return fail(m, DEEPER_ERROR_UNSUPPORTED, what);
}

deeper_status dp_pickle_parse(dp_pickle *pickle, const unsigned char *bytes, size_t size,
                              const dp_pickle_global *globals, size_t global_count,
                              const char *file, const deeper_allocator *allocator,
                              deeper_error *error) {
    *pickle = (dp_pickle){ .allocator = allocator, .root = -1 };
    machine m = { .pickle = pickle,
                  .begin = bytes,
                  .at = bytes,
                  .end = bytes + size,
                  .globals = globals,
                  .global_count = global_count,
                  .file = file,
                  .error = error };
    deeper_status status = DEEPER_OK;
    while (status == DEEPER_OK && !m.stopped)
        status = step(&m);
    dp_free(allocator, m.stack);
    dp_free(allocator, m.memo);
    pickle->size = (size_t)(m.at - bytes);
    if (status != DEEPER_OK)
        dp_pickle_free(pickle);
    return status;
}

void dp_pickle_free(dp_pickle *pickle) {
    dp_free(pickle->allocator, pickle->values);
    dp_free(pickle->allocator, pickle->links);
    *pickle = (dp_pickle){ .allocator = pickle->allocator, .root = -1 };
}

int dp_pickle_element(const dp_pickle *pickle, int value, int index) {
    const dp_pickle_value *from = &pickle->values[value];
    if (from->kind != DP_PICKLE_TUPLE && from->kind != DP_PICKLE_LIST
        && from->kind != DP_PICKLE_DICT)
        return -1;
    int link = from->first;
    for (; link >= 0 && index > 0; index--)
        link = pickle->links[link].next;
    return link < 0 ? -1 : pickle->links[link].value;
}

bool dp_pickle_is_text(const dp_pickle *pickle, int value, const char *text) {
    const dp_pickle_value *item = &pickle->values[value];
    return item->kind == DP_PICKLE_TEXT && same(text, item->text, item->size);
}

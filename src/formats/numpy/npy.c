/* npy.c - the header is a Python dictionary; what is read of it is the one form that NumPy writes,
 * with keys in any order. */
#include "formats/numpy/npy.h"

#include "base/arithmetic.h"

#include <stdio.h>
#include <string.h>

enum { MAGIC = 8, ALIGNMENT = 64, MAX_HEADER = 1 << 16, MAX_WIDTH = 1 << 24 };

static const struct {
    const char *code;
    dp_dtype dtype;
} codes[] = {
    { "f4", DP_DTYPE_F32 }, { "f2", DP_DTYPE_F16 }, { "f8", DP_DTYPE_F64 }, { "b1", DP_DTYPE_BOOL },
    { "i1", DP_DTYPE_I8 },  { "u1", DP_DTYPE_U8 },  { "i2", DP_DTYPE_I16 }, { "u2", DP_DTYPE_U16 },
    { "i4", DP_DTYPE_I32 }, { "u4", DP_DTYPE_U32 }, { "i8", DP_DTYPE_I64 }, { "u8", DP_DTYPE_U64 },
};

/* -------------------------------------------------------------------------------------- reading */

typedef struct reader {
    const char *at, *end;
    const char *file, *entry;
    deeper_error *error;
} reader;

static deeper_status fail(const reader *r, deeper_status status, const char *what) {
    return dp_fail(r->error, status, "%s: array %.100s: %s", r->file, r->entry, what);
}

/* The next character after spaces, taken if it is `wanted`. */
static bool take(reader *r, char wanted) {
    while (r->at < r->end && *r->at == ' ')
        r->at++;
    if (r->at == r->end || *r->at != wanted)
        return false;
    r->at++;
    return true;
}

static bool take_word(reader *r, const char *word) {
    size_t length = strlen(word);
    if (!take(r, word[0]) || (size_t)(r->end - r->at) < length - 1
        || memcmp(r->at, word + 1, length - 1) != 0)
        return false;
    r->at += length - 1;
    return true;
}

/* 'TEXT' into text[16], without escapes; a longer one is no key or type that there is. */
static bool take_quoted(reader *r, char text[16]) {
    char quote = take(r, '\'') ? '\'' : take(r, '"') ? '"' : '\0';
    size_t length = 0;
    for (; quote && r->at < r->end && *r->at != quote && length < 15; length++)
        text[length] = *r->at++;
    text[length] = '\0';
    return quote && r->at < r->end && *r->at++ == quote;
}

static bool take_number(reader *r, size_t *number) {
    const char *begin;
    *number = 0;
    while (r->at < r->end && *r->at == ' ')
        r->at++;
    for (begin = r->at; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++)
        if (!dp_size_mul(*number, 10, number)
            || __builtin_add_overflow(*number, (size_t)(*r->at - '0'), number))
            return false;
    return r->at > begin;
}

/* (), (64,), (64, 3). */
static deeper_status read_shape(reader *r, dp_tensor *tensor) {
    tensor->rank = 0;
    bool more = take(r, '(');
    if (!more)
        return fail(r, DEEPER_ERROR_FORMAT, "its shape is not a tuple of numbers");
    while (more && !take(r, ')')) {
        size_t number;
        if (!take_number(r, &number))
            return fail(r, DEEPER_ERROR_FORMAT, "its shape is not a tuple of numbers");
        if (tensor->rank == DP_TENSOR_RANK)
            return fail(r, DEEPER_ERROR_LIMIT, "more than 8 dimensions");
        tensor->shape[tensor->rank++] = number;
        if (!(more = take(r, ',')) && !take(r, ')'))
            return fail(r, DEEPER_ERROR_FORMAT, "its shape is not a tuple of numbers");
    }
    return DEEPER_OK;
}

static deeper_status read_type(reader *r, dp_npy *array) {
    char text[16], *end = text;
    if (!take_quoted(r, text))
        return fail(r, DEEPER_ERROR_UNSUPPORTED, "records are not read; save one array a field");
    const char *code = strchr("<|", text[0]) ? text + 1 : text;
    if (text[0] == '>' && text[1])
        return fail(
            r, DEEPER_ERROR_UNSUPPORTED,
            "big-endian numbers are not read; save array.astype(array.dtype.newbyteorder('<'))");
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (strcmp(code, codes[i].code) != 0)
            continue;
        array->tensor.dtype = codes[i].dtype;
        array->element = dp_dtype_bytes(codes[i].dtype);
        return DEEPER_OK;
    }
    if (*code == 'O')
        return fail(r, DEEPER_ERROR_UNSUPPORTED,
                    "holds Python objects, whose pickles could run code; refused");
    reader width = { code + (*code != '\0'), text + strlen(text), NULL, NULL, NULL };
    if ((*code == 'U' || *code == 'S') && take_number(&width, &array->element)
        && width.at == width.end && array->element <= MAX_WIDTH) {
        array->kind = *code == 'U' ? DP_NPY_UNICODE : DP_NPY_BYTES;
        array->element *= *code == 'U' ? 4 : 1;
        return DEEPER_OK;
    }
    for (; *end; end++)
        *end = (*end < ' ' || *end > '~') ? '?' : *end;
    return dp_fail(r->error, DEEPER_ERROR_UNSUPPORTED,
                   "%s: array %.100s: elements of type '%s' are not read", r->file, r->entry, text);
}

/* The dictionary; every key is there once. */
static deeper_status read_header(reader *r, dp_npy *array) {
    enum { DESCR = 1, ORDER = 2, SHAPE = 4, ALL = 7 };
    int seen = 0;
    char key[16];
    bool more = take(r, '{');
    while (more && !take(r, '}')) {
        if (!take_quoted(r, key) || !take(r, ':'))
            return fail(r, DEEPER_ERROR_FORMAT, "its header is not that of a .npy array");
        int now = strcmp(key, "descr") == 0           ? DESCR
                  : strcmp(key, "fortran_order") == 0 ? ORDER
                  : strcmp(key, "shape") == 0         ? SHAPE
                                                      : 0;
        if (now == 0 || seen & now)
            return fail(r, DEEPER_ERROR_FORMAT, "a key in its header is unknown or there twice");
        seen |= now;
        if (now == DESCR) {
            DP_TRY(read_type(r, array));
        } else if (now == SHAPE) {
            DP_TRY(read_shape(r, &array->tensor));
        } else {
            array->fortran = take_word(r, "True");
            if (!array->fortran && !take_word(r, "False"))
                return fail(r, DEEPER_ERROR_FORMAT, "fortran_order is neither True nor False");
        }
        if (!(more = take(r, ',')) && !take(r, '}'))
            return fail(r, DEEPER_ERROR_FORMAT, "its header is not that of a .npy array");
    }
    bool newline = take(r, '\n');
    if (seen != ALL || !newline || r->at != r->end)
        return fail(r, DEEPER_ERROR_FORMAT, "its header is not that of a .npy array");
    return DEEPER_OK;
}

deeper_status dp_npy_parse(dp_npy *array, const unsigned char *bytes, size_t size, const char *file,
                           const char *entry, deeper_error *error) {
    reader r = { NULL, NULL, file, entry, error };
    *array = (dp_npy){ .kind = DP_NPY_NUMBERS };
    size_t front = MAGIC, length = 0;
    if (size < MAGIC || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return fail(&r, DEEPER_ERROR_FORMAT, "not a .npy array");
    if (bytes[6] < 1 || bytes[6] > 3 || bytes[7] != 0)
        return fail(&r, DEEPER_ERROR_UNSUPPORTED, "a version of .npy other than 1.0, 2.0 and 3.0");
    int width = bytes[6] == 1 ? 2 : 4;
    front += (size_t)width;
    for (int i = width - 1; i >= 0 && size >= front; i--)
        length = length << 8 | bytes[MAGIC + i];
    if (size < front || length > size - front)
        return fail(&r, DEEPER_ERROR_FORMAT, "cut short in its header");
    if (length > MAX_HEADER)
        return fail(&r, DEEPER_ERROR_LIMIT, "its header is longer than 64 KB");
    r.at = (const char *)bytes + front;
    r.end = r.at + length;
    DP_TRY(read_header(&r, array));
    dp_tensor *tensor = &array->tensor;
    size_t elements;
    char shape[DP_TENSOR_SHAPE_TEXT];
    tensor->data = r.end;
    if (!dp_tensor_elements(tensor, &elements)
        || !dp_size_mul(elements, array->element, &tensor->bytes)
        || tensor->bytes != size - front - length)
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: array %.100s: %s elements of %zu bytes are stated, %zu bytes are there",
                       file, entry, dp_tensor_shape_text(tensor, shape), array->element,
                       size - front - length);
    return DEEPER_OK;
}

/* -------------------------------------------------------------------------------------- writing */

static size_t header(char text[DP_NPY_HEADER], const dp_tensor *tensor, const char *descr) {
    enum { FRONT = MAGIC + 2 };
    int length = FRONT;
    memcpy(text, "\x93NUMPY\1\0", MAGIC);
    length += snprintf(text + length, (size_t)(DP_NPY_HEADER - length),
                       "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    for (int i = 0; i < tensor->rank; i++)
        length += snprintf(text + length, (size_t)(DP_NPY_HEADER - length),
                           i == 0 && tensor->rank > 1 ? "%zu"
                           : i                        ? ", %zu"
                                                      : "%zu,",
                           tensor->shape[i]);
    length += snprintf(text + length, (size_t)(DP_NPY_HEADER - length), "), }");
    size_t whole = dp_round_up((size_t)length + 1, ALIGNMENT);
    memset(text + length, ' ', whole - (size_t)length);
    text[whole - 1] = '\n';
    text[MAGIC] = (char)((whole - FRONT) & 0xFF);
    text[MAGIC + 1] = (char)((whole - FRONT) >> 8);
    return whole;
}

size_t dp_npy_header(char text[DP_NPY_HEADER], const dp_tensor *tensor) {
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        char descr[8];
        if (codes[i].dtype != tensor->dtype)
            continue;
        snprintf(descr, sizeof descr, "%c%s", dp_dtype_bytes(tensor->dtype) == 1 ? '|' : '<',
                 codes[i].code);
        return header(text, tensor, descr);
    }
    return 0;
}

size_t dp_npy_text_header(char text[DP_NPY_HEADER], const dp_tensor *tensor, size_t width) {
    char descr[32];
    snprintf(descr, sizeof descr, "<U%zu", width);
    return header(text, tensor, descr);
}

/* torch.c - from the pickled dictionary of a PyTorch file to tensors: which dictionary, the
 * storages it names, the views of them. Where the bytes of a storage lie is told by the two forms
 * of the file, in torch_file.c. */
#include "formats/torch/torch.h"

#include "base/text.h"
#include "formats/torch/torch_file.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TENSORS = 1 << 16, MAX_NAME = 512, MAX_NESTED = 4 };

enum { ORDERED_DICT, REBUILD_TENSOR, REBUILD_TENSOR_V2, REBUILD_PARAMETER, STORAGES };

const dp_pickle_global dp_torch_globals[] = {
    [ORDERED_DICT] = { "collections", "OrderedDict", true },
    [REBUILD_TENSOR] = { "torch._utils", "_rebuild_tensor", false },
    [REBUILD_TENSOR_V2] = { "torch._utils", "_rebuild_tensor_v2", false },
    [REBUILD_PARAMETER] = { "torch._utils", "_rebuild_parameter", false },
    [STORAGES] = { "torch", "FloatStorage", false },
    { "torch", "HalfStorage", false },
    { "torch", "BFloat16Storage", false },
    { "torch", "DoubleStorage", false },
    { "torch", "BoolStorage", false },
    { "torch", "CharStorage", false },
    { "torch", "ByteStorage", false },
    { "torch", "ShortStorage", false },
    { "torch", "IntStorage", false },
    { "torch", "LongStorage", false },
};
const size_t dp_torch_global_count = sizeof dp_torch_globals / sizeof *dp_torch_globals;

/* Of the storages above, in their order. */
static const dp_dtype storage_types[] = { DP_DTYPE_F32,  DP_DTYPE_F16, DP_DTYPE_BF16, DP_DTYPE_F64,
                                          DP_DTYPE_BOOL, DP_DTYPE_I8,  DP_DTYPE_U8,   DP_DTYPE_I16,
                                          DP_DTYPE_I32,  DP_DTYPE_I64 };
_Static_assert(sizeof storage_types / sizeof *storage_types + STORAGES
                   == sizeof dp_torch_globals / sizeof *dp_torch_globals,
               "an element type for each storage");

static const dp_pickle_value *value_at(const dp_torch_reader *r, int value) {
    static const dp_pickle_value nothing = { .kind = DP_PICKLE_NONE, .first = -1 };
    return value < 0 ? &nothing : &r->pickle.values[value];
}

static const dp_pickle_value *element(const dp_torch_reader *r, int value, int index) {
    return value_at(r, value < 0 ? -1 : dp_pickle_element(&r->pickle, value, index));
}

bool dp_torch_keep(dp_torch_reader *r, void *block) {
    dp_torch *file = r->file;
    void *blocks = file->blocks;
    if (!block
        || !dp_reserve(file->allocator, &blocks, &file->block_capacity, file->block_count + 1,
                       sizeof *file->blocks)) {
        dp_free(file->allocator, block);
        return false;
    }
    file->blocks = blocks;
    file->blocks[file->block_count++] = block;
    return true;
}

/* ------------------------------------------------------------------------------------- storages */

static int by_key(const void *a, const void *b) {
    const dp_torch_storage *left = a, *right = b;
    size_t size = left->key_size < right->key_size ? left->key_size : right->key_size;
    int order = size ? memcmp(left->key, right->key, size) : 0;
    return order ? order : left->key_size < right->key_size ? -1 : left->key_size > right->key_size;
}

dp_torch_storage *dp_torch_find(const dp_torch_reader *r, const char *key, size_t size) {
    const dp_torch_storage wanted = { .key = key, .key_size = size };
    return r->storage_count ? bsearch(&wanted, r->storages, r->storage_count, sizeof wanted, by_key)
                            : NULL;
}

/* ('storage', torch.FloatStorage, KEY, LOCATION, ELEMENTS[, None]). */
static deeper_status read_storage(const dp_torch_reader *r, int id, dp_torch_storage *storage) {
    const dp_pickle_value *type = element(r, id, 1), *key = element(r, id, 2),
                          *elements = element(r, id, 4);
    int word = dp_pickle_element(&r->pickle, id, 0);
    if (word < 0 || !dp_pickle_is_text(&r->pickle, word, "storage")
        || type->kind != DP_PICKLE_GLOBAL || type->global < STORAGES || key->kind != DP_PICKLE_TEXT
        || elements->kind != DP_PICKLE_INT || elements->integer < 0)
        return dp_fail(r->error, DEEPER_ERROR_FORMAT,
                       "%s: its pickle refers to something that is no storage of tensors", r->name);
    if (element(r, id, 5)->kind != DP_PICKLE_NONE)
        return dp_fail(
            r->error, DEEPER_ERROR_UNSUPPORTED,
            "%s: a storage that is a view of another; load it in PyTorch and save it again",
            r->name);
    *storage = (dp_torch_storage){ .key = key->text,
                                   .key_size = key->size,
                                   .dtype = storage_types[type->global - STORAGES],
                                   .elements = (size_t)elements->integer };
    if (!dp_size_mul(storage->elements, dp_dtype_bytes(storage->dtype), &storage->bytes))
        return dp_fail(r->error, DEEPER_ERROR_FORMAT, "%s: a storage of %zu elements", r->name,
                       storage->elements);
    return DEEPER_OK;
}

/* Every storage that the pickle names, once each, in order of their keys. */
static deeper_status list_storages(dp_torch_reader *r) {
    const dp_pickle *pickle = &r->pickle;
    size_t named = 0, kept = 0;
    for (size_t i = 0; i < pickle->value_count; i++)
        named += pickle->values[i].kind == DP_PICKLE_PERSISTENT;
    r->storages = dp_alloc(r->file->allocator, named, sizeof *r->storages);
    if (!r->storages)
        return dp_fail_memory(r->error, "the storages of a PyTorch file");
    for (size_t i = 0; i < pickle->value_count; i++)
        if (pickle->values[i].kind == DP_PICKLE_PERSISTENT)
            DP_TRY(read_storage(r, pickle->values[i].first, &r->storages[kept++]));
    if (named)
        qsort(r->storages, named, sizeof *r->storages, by_key);
    kept = 0;
    for (size_t i = 0; i < named; i++) {
        const dp_torch_storage *now = &r->storages[i], *last = kept ? &r->storages[kept - 1] : NULL;
        if (!last || by_key(now, last) != 0)
            r->storages[kept++] = *now;
        else if (now->dtype != last->dtype || now->elements != last->elements)
            return dp_fail(r->error, DEEPER_ERROR_FORMAT, "%s: storage %.*s is stated in two ways",
                           r->name, (int)(now->key_size < 80 ? now->key_size : 80), now->key);
    }
    r->storage_count = kept;
    return DEEPER_OK;
}

/* -------------------------------------------------------------------------------------- tensors */

static deeper_status fail_tensor(const dp_torch_reader *r, const char *tensor, deeper_status status,
                                 const char *what) {
    return dp_fail(r->error, status, "%s: tensor %.100s %s", r->name, tensor, what);
}

/* A tuple of numbers >= 0 into numbers[DP_TENSOR_RANK]; false if it is none, or longer. */
static bool read_sizes(const dp_torch_reader *r, const dp_pickle_value *tuple, size_t *numbers) {
    int link = tuple->first;
    if (tuple->kind != DP_PICKLE_TUPLE || tuple->count > DP_TENSOR_RANK)
        return false;
    for (int i = 0; i < tuple->count; i++, link = r->pickle.links[link].next) {
        const dp_pickle_value *value = value_at(r, r->pickle.links[link].value);
        if (value->kind != DP_PICKLE_INT || value->integer < 0)
            return false;
        numbers[i] = (size_t)value->integer;
    }
    return true;
}

/* Where the last element of a view lies in its storage; false if that does not fit a size_t. */
static bool last_element(const dp_tensor *tensor, size_t offset, const size_t *strides,
                         size_t *last) {
    *last = offset;
    for (int i = 0; i < tensor->rank; i++) {
        size_t reach;
        if (!dp_size_mul(tensor->shape[i] - 1, strides[i], &reach)
            || __builtin_add_overflow(*last, reach, last))
            return false;
    }
    return true;
}

static bool in_c_order(const dp_tensor *tensor, const size_t *strides) {
    size_t wanted = 1;
    for (int i = tensor->rank - 1; i >= 0; i--) {
        if (tensor->shape[i] != 1 && strides[i] != wanted)
            return false;
        wanted *= tensor->shape[i];
    }
    return true;
}

/* The bytes of a view, in place where they are in C order. */
static deeper_status place(dp_torch_reader *r, dp_tensor *tensor, dp_torch_storage *storage,
                           size_t offset, const size_t *strides) {
    size_t elements, last, size = dp_dtype_bytes(storage->dtype);
    if (!dp_tensor_elements(tensor, &elements) || elements > storage->elements)
        return fail_tensor(r, tensor->name, DEEPER_ERROR_FORMAT,
                           "has more elements than its storage");
    tensor->data = "";
    tensor->bytes = elements * size;
    if (elements == 0)
        return DEEPER_OK;
    if (!last_element(tensor, offset, strides, &last) || last >= storage->elements)
        return fail_tensor(r, tensor->name, DEEPER_ERROR_FORMAT, "reaches outside its storage");
    if (!storage->data)
        DP_TRY(dp_torch_load(r, storage));
    const unsigned char *from = storage->data + offset * size;
    tensor->data = from;
    if (in_c_order(tensor, strides))
        return DEEPER_OK;
    if (tensor->bytes > r->left)
        return fail_tensor(
            r, tensor->name, DEEPER_ERROR_LIMIT,
            "and others in another order take more memory than a file of this size may");
    r->left -= tensor->bytes;
    void *copy = dp_alloc_raw(r->file->allocator, tensor->bytes, 1);
    if (!dp_torch_keep(r, copy))
        return dp_fail_memory(r->error, "a tensor of a PyTorch file");
    dp_tensor_gather(copy, from, size, tensor->rank, tensor->shape, strides);
    tensor->data = copy;
    return DEEPER_OK;
}

/* The tensor that a value makes: the arguments of _rebuild_tensor, which _rebuild_parameter may
 * wrap. -1: it is no tensor. */
static int view_of(const dp_torch_reader *r, int value) {
    const dp_pickle_value *item = value_at(r, value);
    if (item->kind == DP_PICKLE_CALL && item->global == REBUILD_PARAMETER) {
        value = dp_pickle_element(&r->pickle, item->first, 0);
        item = value_at(r, value);
    }
    return item->kind == DP_PICKLE_CALL
                   && (item->global == REBUILD_TENSOR || item->global == REBUILD_TENSOR_V2)
               ? item->first
               : -1;
}

static deeper_status copy_name(dp_torch_reader *r, const dp_pickle_value *key, const char **name) {
    if (key->kind != DP_PICKLE_TEXT || key->size > MAX_NAME || memchr(key->text, 0, key->size)
        || !dp_text_clean(key->text, key->size, false))
        return dp_fail(r->error, DEEPER_ERROR_FORMAT,
                       "%s: a tensor whose name is not clean text of at most %d bytes", r->name,
                       MAX_NAME);
    char *copy = dp_alloc(r->file->allocator, key->size + 1, 1);
    if (!dp_torch_keep(r, copy))
        return dp_fail_memory(r->error, "the names of a PyTorch file");
    memcpy(copy, key->text, key->size);
    *name = copy;
    return DEEPER_OK;
}

/* (STORAGE, OFFSET, (SHAPE), (STRIDES), ...) under a key of the state dict. */
static deeper_status add_tensor(dp_torch_reader *r, const dp_pickle_value *key, int view) {
    dp_torch *file = r->file;
    dp_tensor tensor = { 0 };
    size_t strides[DP_TENSOR_RANK];
    DP_TRY(copy_name(r, key, &tensor.name));
    const dp_pickle_value *persistent = element(r, view, 0), *offset = element(r, view, 1),
                          *shape = element(r, view, 2);
    if (persistent->kind != DP_PICKLE_PERSISTENT || offset->kind != DP_PICKLE_INT
        || offset->integer < 0 || !read_sizes(r, shape, tensor.shape)
        || !read_sizes(r, element(r, view, 3), strides)
        || element(r, view, 3)->count != shape->count)
        return fail_tensor(r, tensor.name, DEEPER_ERROR_FORMAT,
                           "has no sound storage, offset, shape and strides (up to 8 dimensions)");
    const dp_pickle_value *storage_key = element(r, persistent->first, 2);
    dp_torch_storage *storage = dp_torch_find(
        r, storage_key->text, storage_key->size); /* list_storages has checked and listed it */
    tensor.rank = shape->count;
    tensor.dtype = storage->dtype;
    DP_TRY(place(r, &tensor, storage, (size_t)offset->integer, strides));
    void *tensors = file->tensors;
    if (file->count == MAX_TENSORS)
        return dp_fail(r->error, DEEPER_ERROR_LIMIT, "%s: more than %d tensors", r->name,
                       MAX_TENSORS);
    if (!dp_reserve(file->allocator, &tensors, &file->capacity, file->count + 1,
                    sizeof *file->tensors))
        return dp_fail_memory(r->error, "the tensors of a PyTorch file");
    file->tensors = tensors;
    file->tensors[file->count++] = tensor;
    return DEEPER_OK;
}

/* --------------------------------------------------------------------------------- dictionaries */

/* The value under a key of a dictionary, -1 if there is none. */
static int look_up(const dp_torch_reader *r, int dictionary, const char *key) {
    const dp_pickle *pickle = &r->pickle;
    for (int link = value_at(r, dictionary)->first; link >= 0;) {
        int next = pickle->links[link].next; /* the value's: pairs come whole */
        if (dp_pickle_is_text(pickle, pickle->links[link].value, key))
            return pickle->links[next].value;
        link = pickle->links[next].next;
    }
    return -1;
}

/* Down from the file's dictionary to the state dict in a checkpoint. */
static int find_state_dict(const dp_torch_reader *r) {
    static const char *const keys[] = { "state_dict", "model_state_dict", "model", "net" };
    int dict = r->pickle.root;
    for (int depth = 0; depth < MAX_NESTED && value_at(r, dict)->kind == DP_PICKLE_DICT; depth++) {
        int inner = -1;
        for (size_t i = 0;
             i < sizeof keys / sizeof *keys && value_at(r, inner)->kind != DP_PICKLE_DICT; i++)
            inner = look_up(r, dict, keys[i]);
        if (value_at(r, inner)->kind != DP_PICKLE_DICT)
            break;
        dict = inner;
    }
    return dict;
}

deeper_status dp_torch_collect(dp_torch_reader *r) {
    int dictionary = find_state_dict(r);
    const dp_pickle *pickle = &r->pickle;
    int link =
        value_at(r, dictionary)->kind == DP_PICKLE_DICT ? value_at(r, dictionary)->first : -1;
    while (link >= 0) {
        int next = pickle->links[link].next, view = view_of(r, pickle->links[next].value);
        if (view >= 0)
            DP_TRY(add_tensor(r, value_at(r, pickle->links[link].value), view));
        link = pickle->links[next].next;
    }
    if (r->file->count == 0)
        return dp_fail(r->error, DEEPER_ERROR_FORMAT,
                       "%s: no dictionary of tensors in it; in Python, "
                       "torch.save(model.state_dict(), \"weights.pth\")",
                       r->name);
    return DEEPER_OK;
}

deeper_status dp_torch_read_pickle(dp_torch_reader *r, const unsigned char *bytes, size_t size) {
    DP_TRY(dp_pickle_parse(&r->pickle, bytes, size, dp_torch_globals, dp_torch_global_count,
                           r->name, r->file->allocator, r->error));
    return list_storages(r);
}

void dp_torch_free(dp_torch *file) {
    for (size_t i = 0; i < file->block_count; i++)
        dp_free(file->allocator, file->blocks[i]);
    dp_free(file->allocator, file->blocks);
    dp_free(file->allocator, file->tensors);
    *file = (dp_torch){ .allocator = file->allocator };
}

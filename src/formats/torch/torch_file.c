/* torch_file.c - the two forms of a PyTorch file, as torch.h has them: where the dictionary's
 * pickle lies, and the storages. */
#include "formats/torch/torch_file.h"

#include <stdio.h>
#include <string.h>

static const unsigned char magic[] = { 0x80, 2,    0x8A, 10,   0x6C, 0xFC, 0x9C, 0x46,
                                       0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, '.' };

enum { MIN_PROTOCOL = 2, LAST_PROTOCOL = 5, COUNT_BYTES = 8, MAX_KEY = 200 };

bool dp_torch_sniff(const unsigned char *bytes, size_t size) {
    const char *entry;
    size_t length;
    return dp_zip_begins(bytes, size, &entry, &length)
           || (size >= 2 && bytes[0] == 0x80 && bytes[1] >= MIN_PROTOCOL
               && bytes[1] <= LAST_PROTOCOL);
}

/* ------------------------------------------------------------------------------------- zip form */

/* The entry "NAME/data.pkl", the first if there are several. */
static deeper_status find_pickle(dp_torch_reader *r, size_t *index) {
    static const char ending[] = "/data.pkl";
    for (*index = 0; *index < r->zip.count; ++*index) {
        const char *entry = dp_zip_entry(&r->zip, *index);
        size_t length = strlen(entry), tail = sizeof ending - 1;
        if (length < tail || strcmp(entry + length - tail, ending) != 0)
            continue;
        r->folder = entry;
        r->folder_size = length - tail + 1;
        return DEEPER_OK;
    }
    return dp_fail(
        r->error, DEEPER_ERROR_FORMAT,
        "%s: a zip file with neither a PyTorch state dict (data.pkl) nor NumPy arrays (.npy)",
        r->name);
}

/* The index of an entry beside the pickle; -1: there is none. */
static int64_t find_beside(const dp_torch_reader *r, const char *folder, const char *entry,
                           size_t size) {
    dp_buffer path;
    dp_buffer_init(&path, r->file->allocator, UINT16_MAX);
    bool joined = dp_buffer_append(&path, r->folder, r->folder_size)
                  && dp_buffer_append(&path, folder, strlen(folder))
                  && dp_buffer_append(&path, entry, size);
    int64_t index = joined ? dp_zip_find(&r->zip, path.data) : -2;
    dp_buffer_free(&path);
    return index;
}

deeper_status dp_torch_load(dp_torch_reader *r, dp_torch_storage *storage) {
    int shown = (int)(storage->key_size < MAX_KEY ? storage->key_size : MAX_KEY);
    bool usable = r->zip.archive && storage->key_size <= MAX_KEY
                  && !memchr(storage->key, 0, storage->key_size);
    int64_t index = usable ? find_beside(r, "data/", storage->key, storage->key_size) : -1;
    unsigned char *data;
    size_t size;
    if (index == -2)
        return dp_fail_memory(r->error, "the name of a storage");
    if (index < 0)
        return dp_fail(r->error, DEEPER_ERROR_FORMAT,
                       "%s: storage %.*s is not in the file; fetch or write it again", r->name,
                       shown, storage->key);
    DP_TRY(dp_zip_read(&r->zip, (size_t)index, &data, &size, r->error));
    if (!dp_torch_keep(r, data))
        return dp_fail_memory(r->error, "a storage of a PyTorch file");
    if (size != storage->bytes)
        return dp_fail(r->error, DEEPER_ERROR_FORMAT,
                       "%s: storage %.*s has %zu bytes for %zu elements of %s", r->name, shown,
                       storage->key, size, storage->elements, dp_dtype_name(storage->dtype));
    storage->data = data;
    return DEEPER_OK;
}

/* Newer files say which way round their numbers are. */
static deeper_status check_byte_order(dp_torch_reader *r) {
    int64_t index = find_beside(r, "", "byteorder", strlen("byteorder"));
    unsigned char *order;
    size_t size;
    if (index == -2)
        return dp_fail_memory(r->error, "the name of an entry");
    if (index < 0)
        return DEEPER_OK;
    DP_TRY(dp_zip_read(&r->zip, (size_t)index, &order, &size, r->error));
    bool little = size == 6 && memcmp(order, "little", 6) == 0;
    dp_free(r->file->allocator, order);
    if (!little)
        return dp_fail(r->error, DEEPER_ERROR_UNSUPPORTED,
                       "%s: its numbers are not little-endian; save it on another machine",
                       r->name);
    return DEEPER_OK;
}

static deeper_status read_zip(dp_torch_reader *r, const void *bytes, size_t size) {
    size_t index, pickle_size;
    unsigned char *pickle;
    DP_TRY(dp_zip_open(&r->zip, bytes, size, r->name, r->file->allocator, r->error));
    DP_TRY(find_pickle(r, &index));
    DP_TRY(check_byte_order(r));
    DP_TRY(dp_zip_read(&r->zip, index, &pickle, &pickle_size, r->error));
    if (!dp_torch_keep(r, pickle)) /* texts of the pickle point into it */
        return dp_fail_memory(r->error, "the pickle of a PyTorch file");
    DP_TRY(dp_torch_read_pickle(r, pickle, pickle_size));
    return dp_torch_collect(r);
}

/* ----------------------------------------------------------------------------------- older form */

typedef struct cursor {
    const unsigned char *at;
    size_t left;
} cursor;

/* The next pickle of the row, which is not looked at: its protocol and the machine's facts. */
static deeper_status skip_pickle(const dp_torch_reader *r, cursor *c) {
    dp_pickle pickle;
    DP_TRY(dp_pickle_parse(&pickle, c->at, c->left, dp_torch_globals, dp_torch_global_count,
                           r->name, r->file->allocator, r->error));
    c->at += pickle.size;
    c->left -= pickle.size;
    dp_pickle_free(&pickle);
    return DEEPER_OK;
}

/* The bytes of one storage: 8 of their count, then the elements. */
static deeper_status next_storage(dp_torch_reader *r, cursor *c, const dp_pickle_value *key) {
    dp_torch_storage *storage =
        key->kind == DP_PICKLE_TEXT ? dp_torch_find(r, key->text, key->size) : NULL;
    uint64_t elements = 0;
    if (!storage)
        return dp_fail(r->error, DEEPER_ERROR_FORMAT,
                       "%s: a storage that no tensor names; fetch or write the file again",
                       r->name);
    for (int i = COUNT_BYTES - 1; i >= 0 && c->left >= COUNT_BYTES; i--)
        elements = elements << 8 | c->at[i];
    if (c->left < COUNT_BYTES || storage->bytes > c->left - COUNT_BYTES)
        return dp_fail(r->error, DEEPER_ERROR_FORMAT,
                       "%s: cut short; fetch or write the file again", r->name);
    if (elements != storage->elements)
        return dp_fail(r->error, DEEPER_ERROR_FORMAT,
                       "%s: a storage of %llu elements is stated to have %zu", r->name,
                       (unsigned long long)elements, storage->elements);
    storage->data = c->at + COUNT_BYTES;
    c->at += COUNT_BYTES + storage->bytes;
    c->left -= COUNT_BYTES + storage->bytes;
    return DEEPER_OK;
}

static deeper_status place_storages(dp_torch_reader *r, cursor *c) {
    dp_pickle keys;
    DP_TRY(dp_pickle_parse(&keys, c->at, c->left, dp_torch_globals, dp_torch_global_count, r->name,
                           r->file->allocator, r->error));
    const dp_pickle_value *list = &keys.values[keys.root];
    deeper_status status = DEEPER_OK;
    c->at += keys.size;
    c->left -= keys.size;
    for (int link = list->kind == DP_PICKLE_LIST ? list->first : -1;
         link >= 0 && status == DEEPER_OK; link = keys.links[link].next)
        status = next_storage(r, c, &keys.values[keys.links[link].value]);
    dp_pickle_free(&keys);
    return status;
}

static deeper_status read_older(dp_torch_reader *r, const unsigned char *bytes, size_t size) {
    cursor c = { bytes, size };
    if (size < sizeof magic || memcmp(bytes, magic, sizeof magic) != 0)
        return dp_fail(r->error, DEEPER_ERROR_UNSUPPORTED,
                       "%s: a pickle that torch.save did not write; in Python, "
                       "torch.save(model.state_dict(), \"weights.pth\")",
                       r->name);
    c.at += sizeof magic;
    c.left -= sizeof magic;
    DP_TRY(skip_pickle(r, &c));
    DP_TRY(skip_pickle(r, &c));
    DP_TRY(dp_torch_read_pickle(r, c.at, c.left));
    c.at += r->pickle.size;
    c.left -= r->pickle.size;
    DP_TRY(place_storages(r, &c));
    return dp_torch_collect(r);
}

deeper_status dp_torch_parse(dp_torch *file, const void *bytes, size_t size, const char *name,
                             const deeper_allocator *allocator, deeper_error *error) {
    const char *entry;
    size_t length;
    *file = (dp_torch){ .allocator = allocator };
    dp_torch_reader r = { .file = file, .name = name, .error = error };
    if (!dp_size_mul(size, DP_ZIP_RATIO, &r.left)
        || __builtin_add_overflow(r.left, (size_t)DP_ZIP_ROOM, &r.left))
        r.left = SIZE_MAX;
    deeper_status status = dp_zip_begins(bytes, size, &entry, &length)
                               ? read_zip(&r, bytes, size)
                               : read_older(&r, bytes, size);
    dp_pickle_free(&r.pickle);
    dp_free(allocator, r.storages);
    dp_zip_close(&r.zip);
    if (status != DEEPER_OK)
        dp_torch_free(file);
    return status;
}

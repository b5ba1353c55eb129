/* idx.c - IDX files through zlib, which reads plain files as they are. */
#include "data/idx.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
    MAGIC_LABELS = 0x00000801,
    MAGIC_PICTURES = 0x00000803,
    WORD = 4,
    MAX_AT_ONCE = 1 << 30, /* gzread counts in int */
    DEFLATE_RATIO = 1032   /* the most that deflate can make of a byte (zlib's technical notes) */
};

typedef struct reader {
    gzFile stream;
    const char *path;
    uint64_t max_bytes; /* bytes that the file can hold at most */
    deeper_error *error;
} reader;

bool dp_idx_begins(const unsigned char *bytes, size_t size) {
    return size >= WORD && bytes[0] == 0 && bytes[1] == 0 && bytes[2] == 8
           && (bytes[3] == 1 || bytes[3] == 3);
}

static deeper_status fail_cut_short(const reader *in) {
    return dp_fail(in->error, DEEPER_ERROR_FORMAT,
                   "%s: cut short, the IDX file ends before its last element; fetch it again",
                   in->path);
}

static deeper_status fail_stream(const reader *in) {
    int code = Z_OK;
    gzerror(in->stream, &code);
    if (code == Z_MEM_ERROR)
        return dp_fail(in->error, DEEPER_ERROR_MEMORY, "%s: out of memory to unpack it", in->path);
    if (code == Z_ERRNO)
        return dp_fail_errno(in->error, in->path, "cannot read");
    if (code == Z_BUF_ERROR)
        return fail_cut_short(in);
    return dp_fail(in->error, DEEPER_ERROR_FORMAT,
                   "%s: damaged, its gzip data does not unpack; fetch it again", in->path);
}

static deeper_status read_bytes(const reader *in, uint8_t *bytes, size_t size) {
    while (size > 0) {
        int got = gzread(in->stream, bytes, size < MAX_AT_ONCE ? (unsigned)size : MAX_AT_ONCE);
        if (got < 0)
            return fail_stream(in);
        if (got == 0)
            return fail_cut_short(in);
        bytes += got;
        size -= (size_t)got;
    }
    return DEEPER_OK;
}

static deeper_status read_word(const reader *in, uint32_t *word) {
    uint8_t bytes[WORD];
    DP_TRY(read_bytes(in, bytes, WORD));
    *word =
        (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    return DEEPER_OK;
}

static deeper_status read_header(const reader *in, dp_idx *idx, bool pictures) {
    uint32_t magic, count, rows = 1, columns = 1, wanted = pictures ? MAGIC_PICTURES : MAGIC_LABELS;
    DP_TRY(read_word(in, &magic));
    if (magic != wanted)
        return dp_fail(in->error, DEEPER_ERROR_FORMAT,
                       "%s: not the IDX file of %s: it begins with 0x%08X, not 0x%08X%s", in->path,
                       pictures ? "pictures" : "labels", magic, wanted,
                       magic == MAGIC_LABELS
                           ? "; give the file of pictures, its labels are found beside it"
                           : "");
    DP_TRY(read_word(in, &count));
    if (pictures) {
        DP_TRY(read_word(in, &rows));
        DP_TRY(read_word(in, &columns));
    }
    if (count == 0 || rows == 0 || columns == 0)
        return dp_fail(in->error, DEEPER_ERROR_FORMAT, "%s: an IDX file of nothing (%u of %ux%u)",
                       in->path, count, columns, rows);
    if (count > DP_IDX_PICTURES || rows > DP_IDX_SIDE || columns > DP_IDX_SIDE)
        return dp_fail(in->error, DEEPER_ERROR_LIMIT,
                       "%s: %u elements of %ux%u; at most %d of at most %dx%d are read", in->path,
                       count, columns, rows, DP_IDX_PICTURES, DP_IDX_SIDE, DP_IDX_SIDE);
    *idx = (dp_idx){ .count = count, .rows = (int)rows, .columns = (int)columns };
    return DEEPER_OK;
}

static deeper_status read_file(const reader *in, dp_idx *idx, bool pictures,
                               const deeper_allocator *allocator) {
    uint8_t more;
    DP_TRY(read_header(in, idx, pictures));
    /* At most 2^28 x 2^24: fits. */
    uint64_t size = (uint64_t)idx->count * (uint64_t)idx->rows * (uint64_t)idx->columns;
    if (size > in->max_bytes)
        return fail_cut_short(in);
    idx->bytes = size <= SIZE_MAX ? dp_alloc_raw(allocator, (size_t)size, 1) : NULL;
    if (!idx->bytes)
        return dp_fail(in->error, DEEPER_ERROR_MEMORY, "%s: out of memory for its %llu bytes",
                       in->path, (unsigned long long)size);
    DP_TRY(read_bytes(in, idx->bytes, (size_t)size));
    int got = gzread(in->stream, &more, 1),
        code = Z_OK; /* the checksum is looked at when the end is */
    gzerror(in->stream, &code);
    if (got < 0
        || (got == 0 && code != Z_OK)) /* a cut in the checksum counts as an end with an error */
        return fail_stream(in);
    if (got > 0)
        return dp_fail(in->error, DEEPER_ERROR_FORMAT,
                       "%s: longer than the %zu elements that its header says; fetch it again",
                       in->path, idx->count);
    return DEEPER_OK;
}

deeper_status dp_idx_read(dp_idx *idx, int file, bool pictures, const char *path,
                          const deeper_allocator *allocator, deeper_error *error) {
    struct stat status;
    reader in = { .path = path, .error = error };
    *idx = (dp_idx){ 0 };
    if (fstat(file, &status) != 0)
        return dp_fail_errno(error, path, "cannot read");
    in.max_bytes = (uint64_t)status.st_size * DEFLATE_RATIO;
    int copy = dup(file); /* gzclose closes it */
    if (copy < 0)
        return dp_fail_errno(error, path, "cannot read");
    in.stream = gzdopen(copy, "rb");
    if (!in.stream) {
        close(copy);
        return dp_fail(error, DEEPER_ERROR_MEMORY, "%s: out of memory to unpack it", path);
    }
    deeper_status result = read_file(&in, idx, pictures, allocator);
    gzclose(in.stream);
    if (result != DEEPER_OK) {
        dp_free(allocator, idx->bytes);
        *idx = (dp_idx){ 0 };
    }
    return result;
}

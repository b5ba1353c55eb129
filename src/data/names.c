/* names.c - the tables of names. */
#include "data/names.h"

#include "data/dataset.h"

#include <string.h>
#include <strings.h>

/* What systems and programs leave beside pictures, folders and files alike. */
static const char *const litter[] = {
    "__MACOSX",   "@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information",
    "lost+found", "README", "LICENSE",  "LICENCE",      "COPYING",
    "MANIFEST",   "Icon\r", "MD5SUMS",  "SHA256SUMS",   "__pycache__",
};

/* Endings of files that are no pictures. A picture that deeper cannot read is not among them:
 * silence about it would be worse than the reader's word. */
static const char *const others[] = {
    "txt",  "csv",        "tsv",    "json",    "jsonl",   "xml",         "yaml",       "yml",
    "toml", "md",         "html",   "htm",     "pdf",     "doc",         "docx",       "xls",
    "xlsx", "ods",        "db",     "ini",     "cfg",     "log",         "lnk",        "url",
    "zip",  "tar",        "gz",     "tgz",     "bz2",     "xz",          "zst",        "7z",
    "rar",  "npy",        "npz",    "mat",     "h5",      "hdf5",        "pkl",        "pickle",
    "pt",   "pth",        "onnx",   "parquet", "sqlite",  "tfrecord",    "py",         "ipynb",
    "sh",   "bat",        "exe",    "m",       "c",       "js",          "css",        "mp4",
    "avi",  "mov",        "mkv",    "webm",    "mp3",     "wav",         "part",       "tmp",
    "bak",  "crdownload", "lst",    "names",   "data",    "safetensors", "caffemodel", "prototxt",
    "md5",  "sha1",       "sha256", "srt",     "geojson",
};

static bool is_word(const char *word, const char *name, size_t length) {
    return strlen(word) == length && strncasecmp(word, name, length) == 0;
}

static bool is_among(const char *const *words, size_t count, const char *name, size_t length) {
    for (size_t i = 0; i < count; i++)
        if (is_word(words[i], name, length))
            return true;
    return false;
}

bool dp_name_ignored(const char *name, size_t length, bool folder) {
    if (length == 0 || name[0] == '.'
        || is_among(litter, sizeof litter / sizeof *litter, name, length))
        return true;
    size_t dot = length;
    while (dot > 0 && name[dot - 1] != '.')
        dot--;
    return !folder && dot > 1
           && is_among(others, sizeof others / sizeof *others, name + dot, length - dot);
}

/* ---------------------------------------------------------------------------------------- parts */

/* Names of one part in order of preference. */
static const struct {
    const char *word;
    int part;
} parts[] = {
    { "train", DP_TRAIN },    { "training", DP_TRAIN }, { "val", DP_VAL },
    { "validation", DP_VAL }, { "valid", DP_VAL },      { "validate", DP_VAL },
    { "dev", DP_VAL },        { "eval", DP_VAL },       { "test", DP_TEST },
    { "testing", DP_TEST },   { "holdout", DP_TEST },
};

/* What may stand behind such a name. */
static const char *const endings[] = {
    "set", "data", "dataset", "images", "imgs", "photos", "split"
};

static bool is_letter(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* The length without one of the endings, and without what is no letter. */
static size_t strip(const char *name, size_t length) {
    size_t kept = length;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t size = strlen(endings[i]);
        if (length > size && is_word(endings[i], name + length - size, size)
            && length - size < kept)
            kept = length - size;
    }
    while (kept > 0 && !is_letter(name[kept - 1]))
        kept--;
    return kept;
}

int dp_name_part(const char *name, size_t length, int *rank) {
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < (int)(sizeof parts / sizeof *parts); i++)
            if (is_word(parts[i].word, name, length)) {
                *rank = i + round * (int)(sizeof parts / sizeof *parts);
                return parts[i].part;
            }
        length = strip(name, length);
    }
    return -1;
}

/* models.c - see models.h. Looks for files only; opening is the library's. */
#include "models.h"

#include "fail.h"
#include "paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const app_published published[] = {
    { "bvlc_googlenet",
      "bvlc_googlenet.caffemodel",
      { "http://dl.caffe.berkeleyvision.org/bvlc_googlenet.caffemodel",
        "https://storage.openvinotoolkit.org/repositories/open_model_zoo/public/2022.1/"
        "googlenet-v1/bvlc_googlenet.caffemodel" },
      "sha1:405fc5acd08a3bb12de8ee5e23a96bec22f08204",
      "BVLC's GoogLeNet, 1000 classes of ILSVRC-2012, top-1 68.7 %, top-5 88.9 %" },
    { "bvlc_alexnet",
      "bvlc_alexnet.caffemodel",
      { "http://dl.caffe.berkeleyvision.org/bvlc_alexnet.caffemodel" },
      "sha1:9116a64c0fbe4459d18f4bb6b56d647b63920377",
      "BVLC's AlexNet, 1000 classes of ILSVRC-2012" },
    { "bvlc_reference_caffenet",
      "bvlc_reference_caffenet.caffemodel",
      { "http://dl.caffe.berkeleyvision.org/bvlc_reference_caffenet.caffemodel" },
      "sha1:4c8d77deb20ea792f84eb5e6d0a11ca0a8660a46",
      "BVLC's CaffeNet: AlexNet with pools before norms, 1000 classes of ILSVRC-2012" },
    { "vgg_ilsvrc_16_layers",
      "VGG_ILSVRC_16_layers.caffemodel",
      { "http://www.robots.ox.ac.uk/~vgg/software/very_deep/caffe/"
        "VGG_ILSVRC_16_layers.caffemodel" },
      "sha1:9363e1f6d65f7dba68c4f27a1e62105cdf6c4e24",
      "the VGG group's 16 layers, 1000 classes of ILSVRC-2012, 528 MB" },
    { "torchvision_googlenet",
      "googlenet-1378be20.pth",
      { "https://download.pytorch.org/models/googlenet-1378be20.pth" },
      "sha256:1378be20a8e875cf1568b8a71654e704449655e34711a959a38b04fb34905cef",
      "torchvision's variant with batch normalisation, 1000 classes of ILSVRC-2012, top-1 69.8 %, "
      "top-5 89.5 %" },
    { "torchvision_alexnet",
      "alexnet-owt-7be5be79.pth",
      { "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth" },
      "sha256:7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
      "torchvision's AlexNet of one column, 1000 classes of ILSVRC-2012, top-1 56.5 %, 233 MB" },
    { "torchvision_vgg16",
      "vgg16-397923af.pth",
      { "https://download.pytorch.org/models/vgg16-397923af.pth" },
      "sha256:397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
      "torchvision's VGG-16, 1000 classes of ILSVRC-2012, top-1 71.6 %, 528 MB" },
};

const app_published *app_published_at(size_t index) {
    return index < sizeof published / sizeof *published ? &published[index] : NULL;
}

const app_published *app_published_find(const char *name) {
    const app_published *entry;
    for (size_t i = 0; (entry = app_published_at(i)) != NULL; i++)
        if (!strcmp(entry->name, name))
            return entry;
    return NULL;
}

static char *joined(const char *a, const char *b, const char *c) {
    char *text;
    return asprintf(&text, "%s%s%s", a, b, c) < 0 ? NULL : text;
}

/* Path of NAME, or of NAME with an ending that models have, in the data folders; NULL if none is
 * there. */
static char *data_find(const char *name) {
    static const char *const endings[] = { "", ".safetensors", ".caffemodel", ".pth", ".npz" };
    char *folders[] = { app_data_path("", NULL), strdup("/usr/local/share/deeper/"),
                        strdup("/usr/share/deeper/") };
    char *path = NULL;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        for (size_t k = 0; k < sizeof endings / sizeof *endings && folders[i] && !path; k++) {
            path = joined(folders[i], name, endings[k]);
            if (path && access(path, F_OK)) {
                free(path);
                path = NULL;
            }
        }
        free(folders[i]);
    }
    return path;
}

static char *default_path(deeper_error *error) {
    const app_published *entry;
    for (size_t i = 0; (entry = app_published_at(i)) != NULL; i++) {
        char *path = data_find(entry->file);
        if (path)
            return path;
    }
    app_fail(error, DEEPER_ERROR_IO, "no model is named, and none of the published ones is here");
    return NULL;
}

/* The model in FOLDER, or in its member number `member` (above 0), if it is there. */
static char *model_in(const char *folder, int member) {
    char *path = NULL, inner[32] = "";
    if (member > 0)
        snprintf(inner, sizeof inner, "/member%d", member);
    if (asprintf(&path, "%s%s/model.safetensors", folder, inner) < 0)
        return NULL;
    if (!access(path, F_OK))
        return path;
    free(path);
    return NULL;
}

char *app_model_path(const char *name, deeper_error *error) {
    if (!name)
        return default_path(error);
    const app_published *entry = app_published_find(name);
    char *path = *name ? model_in(name, 0) : NULL;
    if (path)
        return path;
    path = !*name || !access(name, F_OK) || strchr(name, '/')
               ? strdup(name)
               : data_find(entry ? entry->file : name);
    if (path)
        return path;
    app_fail(error, DEEPER_ERROR_IO,
             entry ? "%s: a published model that is not here yet"
                   : "%s: no such file, and no model of that name is here",
             name);
    return NULL;
}

void app_names_free(char **names, size_t count) {
    for (size_t i = 0; names && i < count; i++)
        free(names[i]);
    free(names);
}

/* Takes `name` (NULL: memory was out); false: memory is out. */
static bool add_name(char ***names, size_t *count, char *name) {
    char **longer = name ? realloc(*names, (*count + 1) * sizeof *longer) : NULL;
    if (!longer) {
        free(name);
        return false;
    }
    *names = longer;
    longer[(*count)++] = name;
    return true;
}

/* Adds what one word of a list means. */
static bool add_models(char ***names, size_t *count, const char *word) {
    char *path = model_in(word, 0);
    if (path)
        return add_name(names, count, path);
    size_t before = *count;
    for (int member = 1; (path = model_in(word, member)) != NULL; member++)
        if (!add_name(names, count, path))
            return false;
    return *count > before || add_name(names, count, strdup(word));
}

char **app_names_split(const char *list, size_t *count, deeper_error *error) {
    char **names = NULL, *words = strdup(list), *next = words;
    bool have = words != NULL;
    *count = 0;
    if (have && !access(list, F_OK)) {
        have = add_models(&names, count, list);
        next = NULL;
    } else if (!*list || *list == ',' || strstr(list, ",,") || list[strlen(list) - 1] == ',') {
        app_fail(error, DEEPER_ERROR_ARGUMENT, "'%s': a name between the commas is empty", list);
        free(words);
        return NULL;
    }
    for (char *word; have && (word = strsep(&next, ",")) != NULL;)
        have = add_models(&names, count, word);
    free(words);
    if (have)
        return names;
    app_names_free(names, *count);
    app_fail(error, DEEPER_ERROR_MEMORY, "out of memory");
    return NULL;
}

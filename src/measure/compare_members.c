/* compare_members.c - see compare.h. The presets are the paper's own questions, each a list of
 * variations of one network. */
#include "measure/compare.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_SIZE = 224, MAX_SIZE = 4096, VARIATIONS = 6 };

/* A setting of the base ("" is the base as it is), the side of its pictures as a share of the
 * comparison's, its crops. */
typedef struct variation {
    const char *setting;
    int percent, crops;
} variation;

static const struct {
    const char *name, *description;
    variation variations[VARIATIONS]; /* ends at the first without a setting */
} presets[] = {
    { "reduction",
      "1x1 reductions before 3x3 and 5x5, or none (Fig. 2a and 2b)",
      { { "module=reduced", 100, 1 }, { "module=naive", 100, 1 } } },
    { "aux",
      "auxiliary heads in training, or none (section 5)",
      { { "aux=1", 100, 1 }, { "aux=0", 100, 1 } } },
    { "pooling",
      "an average before the classifier, or a fully connected layer (section 5)",
      { { "classifier=average", 100, 1 }, { "classifier=fc", 100, 1 } } },
    { "depth-width",
      "fewer and more modules and channels (section 3)",
      { { "depth=10", 100, 1 },
        { "depth=16", 100, 1 },
        { "width=0.5", 100, 1 },
        { "", 100, 1 },
        { "width=1.5", 100, 1 } } },
    { "size",
      "pictures of half, three quarters, the whole and five quarters of the size (section 5)",
      { { "", 50, 1 }, { "", 75, 1 }, { "", 100, 1 }, { "", 125, 1 } } },
    { "norm",
      "response norm, batch norm or none",
      { { "norm=lrn", 100, 1 }, { "norm=bn", 100, 1 }, { "norm=none", 100, 1 } } },
    { "dropout",
      "dropout before the classifier: none, the paper's 40 %, 70 %",
      { { "dropout=0", 100, 1 }, { "dropout=0.4", 100, 1 }, { "dropout=0.7", 100, 1 } } },
    { "crops",
      "one network over 1, 10 and 144 crops of a picture (section 7, Table 3)",
      { { "", 100, 1 }, { "", 100, 10 }, { "", 100, 144 } } },
};
enum { PRESETS = sizeof presets / sizeof *presets };

const char *dp_compare_preset(size_t index, const char **description) {
    if (index >= PRESETS)
        return NULL;
    *description = presets[index].description;
    return presets[index].name;
}

/* A whole number from 1 to max in text[0..length-1]. */
static bool read_number(const char *text, size_t length, int max, int *number) {
    char copy[8], *end = copy;
    if (length == 0 || length >= sizeof copy || strspn(text, "0123456789") < length)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    long value = strtol(copy, &end, 10);
    *number = (int)value;
    return value >= 1 && value <= max;
}

static deeper_status parse_member(dp_member *member, const char *text, int image_size,
                                  deeper_error *error) {
    size_t spec = strcspn(text, "@/"), size = 0;
    *member = (dp_member){ .image_size = image_size, .crops = 1 };
    if (strlen(text) >= sizeof member->text)
        return dp_fail(error, DEEPER_ERROR_LIMIT, "members: %.60s... is longer than %d bytes", text,
                       DP_MEMBER_TEXT - 1);
    memcpy(member->text, text, strlen(text) + 1);
    memcpy(member->spec, text, spec);
    const char *rest = text + spec;
    if (*rest == '@') {
        size = strcspn(rest + 1, "/");
        if (!read_number(rest + 1, size, MAX_SIZE, &member->image_size))
            return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                           "members: %s: after @ stands the side of its pictures, 1 to %d", text,
                           MAX_SIZE);
        rest += 1 + size;
    }
    if (*rest == '/'
        && (!read_number(rest + 1, strlen(rest + 1), 144, &member->crops)
            || (member->crops != 1 && member->crops != 10 && member->crops != 144)))
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "members: %s: after / stands the number of its crops, 1, 10 or 144", text);
    return spec > 0 ? DEEPER_OK
                    : dp_fail(error, DEEPER_ERROR_ARGUMENT,
                              "members: '%s' names no architecture; a member is "
                              "ARCHITECTURE[:OPTIONS][@SIZE][/CROPS]",
                              text);
}

static deeper_status expand(dp_member *members, size_t *count, size_t preset,
                            const deeper_compare_options *options, int image_size,
                            deeper_error *error) {
    const char *base = options->base ? options->base : "googlenet";
    for (size_t i = 0; i < VARIATIONS && presets[preset].variations[i].setting; i++) {
        const variation *v = &presets[preset].variations[i];
        char text[DP_MEMBER_TEXT + 64];
        const char *joint = !v->setting[0] ? "" : strchr(base, ':') ? "," : ":";
        int length = snprintf(text, sizeof text, "%s%s%s", base, joint, v->setting);
        if (v->percent != 100 && length < (int)sizeof text)
            length += snprintf(text + length, sizeof text - (size_t)length, "@%d",
                               image_size * v->percent / 100);
        if (v->crops != 1 && length < (int)sizeof text)
            snprintf(text + length, sizeof text - (size_t)length, "/%d", v->crops);
        DP_TRY(parse_member(&members[i], text, image_size, error));
        *count = i + 1;
    }
    return DEEPER_OK;
}

deeper_status dp_compare_members(dp_member members[DP_MEMBERS], size_t *count,
                                 const deeper_compare_options *options, deeper_error *error) {
    int image_size = options->image_size ? options->image_size : DEFAULT_SIZE;
    *count = 0;
    if (image_size < 1 || image_size > MAX_SIZE)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "image_size is %d; 1 to %d are possible",
                       image_size, MAX_SIZE);
    if (!options->preset == !options->member_count)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "give either members (architectures) or a preset");
    if (options->base && !options->preset)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "base is what a preset varies; members are given as they are");
    if (options->base && strpbrk(options->base, "@/"))
        return dp_fail(
            error, DEEPER_ERROR_ARGUMENT,
            "base: %.60s: a base is ARCHITECTURE[:OPTIONS]; image_size is the side of its pictures",
            options->base);
    for (size_t i = 0; options->preset && i < PRESETS; i++)
        if (strcmp(presets[i].name, options->preset) == 0)
            return expand(members, count, i, options, image_size, error);
    if (options->preset) {
        char names[256] = "", say[80];
        dp_nearest nearest = dp_nearest_to(options->preset, strlen(options->preset));
        for (size_t i = 0; i < PRESETS; i++) {
            strncat(names, i ? ", " : "", sizeof names - strlen(names) - 1);
            strncat(names, presets[i].name, sizeof names - strlen(names) - 1);
            dp_nearest_offer(&nearest, presets[i].name, strlen(presets[i].name));
        }
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "preset: '%.40s' is none of %s%s",
                       options->preset, names, dp_nearest_say(&nearest, say, sizeof say));
    }
    if (options->member_count > DP_MEMBERS)
        return dp_fail(error, DEEPER_ERROR_LIMIT, "members: %zu of them; %d are possible",
                       options->member_count, DP_MEMBERS);
    DP_TRY(dp_need(options->members, "members", error));
    for (size_t i = 0; i < options->member_count; i++) {
        DP_TRY(dp_need(options->members[i], "members: a text", error));
        DP_TRY(parse_member(&members[i], options->members[i], image_size, error));
    }
    *count = options->member_count;
    return DEEPER_OK;
}

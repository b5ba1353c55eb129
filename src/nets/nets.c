/* nets.c - the registry of architectures and the one parser of their specs, "NAME" or
 * "NAME:OPTION=VALUE,OPTION=VALUE". */
#include "base/number.h"
#include "base/text.h"
#include "nets/net.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_TEXT = 1024, MAX_IMAGE_SIZE = 4096, MAX_CLASSES = 1 << 20 };

static const dp_net *const nets[] = { &dp_net_googlenet, &dp_net_lenet5, &dp_net_alexnet,
                                      &dp_net_nin, &dp_net_vgg16 };
static const size_t net_count = sizeof nets / sizeof *nets;

const char *dp_net_name(size_t index, const char **description) {
    if (index >= net_count)
        return NULL;
    if (description)
        *description = nets[index]->description;
    return nets[index]->name;
}

const char *dp_net_option_at(size_t net, size_t index, const char **choices, double range[2]) {
    if (net >= net_count || index >= DP_NET_OPTIONS)
        return NULL;
    const dp_net_option *option = &nets[net]->options[index];
    *choices = option->choices;
    range[0] = (double)option->minimum;
    range[1] = (double)option->maximum;
    return option->name;
}

static bool text_is(const char *text, size_t length, const char *word) {
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

/* The position of a word among "a|b|c", or -1. */
static int choice_index(const char *choices, const char *word, size_t length) {
    for (int index = 0;; index++) {
        size_t next = strcspn(choices, "|");
        if (next == length && memcmp(choices, word, length) == 0)
            return index;
        if (!choices[next])
            return -1;
        choices += next + 1;
    }
}

static void print_choice(dp_buffer *text, const char *choices, int index) {
    for (; index > 0; index--)
        choices += strcspn(choices, "|") + 1;
    dp_buffer_append(text, choices, strcspn(choices, "|"));
}

static const dp_net *find_net(const char *spec, size_t length, deeper_error *error) {
    for (size_t i = 0; i < net_count; i++)
        if (text_is(spec, length, nets[i]->name))
            return nets[i];
    char names[MAX_TEXT] = "", say[80];
    dp_nearest nearest = dp_nearest_to(spec, length);
    for (size_t i = 0; i < net_count; i++) {
        strncat(names, i ? ", " : "", sizeof names - strlen(names) - 1);
        strncat(names, nets[i]->name, sizeof names - strlen(names) - 1);
        dp_nearest_offer(&nearest, nets[i]->name, strlen(nets[i]->name));
    }
    dp_fail(error, DEEPER_ERROR_ARGUMENT, "%.*s: no such architecture; there is %s%s",
            (int)(length < 80 ? length : 80), spec, names,
            dp_nearest_say(&nearest, say, sizeof say));
    return NULL;
}

/* "norm=bn": one setting of `length` bytes. An option may be set once. */
static deeper_status parse_setting(const dp_net *net, const char *setting, size_t length,
                                   dp_net_values *values, deeper_error *error) {
    int shown = (int)(length < 80 ? length : 80);
    char say[80];
    const char *equals = memchr(setting, '=', length);
    if (!equals)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s: '%.*s' is not OPTION=VALUE", net->name,
                       shown, setting);
    const char *value = equals + 1;
    size_t value_length = length - (size_t)(value - setting);
    for (int i = 0; i < DP_NET_OPTIONS && net->options[i].name; i++) {
        const dp_net_option *option = &net->options[i];
        if (!text_is(setting, (size_t)(equals - setting), option->name))
            continue;
        if (values->set[i])
            return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s: '%.*s': %s is set twice", net->name,
                           shown, setting, option->name);
        values->set[i] = true;
        if (option->choices) {
            values->choice[i] = choice_index(option->choices, value, value_length);
            if (values->choice[i] >= 0)
                return DEEPER_OK;
            dp_nearest nearest = dp_nearest_to(value, value_length);
            dp_nearest_offer_choices(&nearest, option->choices);
            return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s: '%.*s': %s is one of %s%s", net->name,
                           shown, setting, option->name, option->choices,
                           dp_nearest_say(&nearest, say, sizeof say));
        }
        double number = NAN;
        if (dp_number_parse(value, value_length, &number))
            values->number[i] = (float)number;
        if (!(number >= (double)option->minimum && number <= (double)option->maximum))
            return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s: '%.*s': %s is a number from %g to %g",
                           net->name, shown, setting, option->name, (double)option->minimum,
                           (double)option->maximum);
        return DEEPER_OK;
    }
    char names[MAX_TEXT] = "";
    dp_nearest nearest = dp_nearest_to(setting, (size_t)(equals - setting));
    for (int i = 0; i < DP_NET_OPTIONS && net->options[i].name; i++) {
        strncat(names, i ? ", " : "", sizeof names - strlen(names) - 1);
        strncat(names, net->options[i].name, sizeof names - strlen(names) - 1);
        dp_nearest_offer(&nearest, net->options[i].name, strlen(net->options[i].name));
    }
    return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s: no option '%.*s'; there are %s%s", net->name,
                   (int)(equals - setting), setting, names,
                   dp_nearest_say(&nearest, say, sizeof say));
}

static deeper_status parse_settings(const dp_net *net, const char *text, dp_net_values *values,
                                    deeper_error *error) {
    for (int i = 0; i < DP_NET_OPTIONS; i++) {
        values->choice[i] = 0;
        values->number[i] = net->options[i].standard;
        values->set[i] = false;
    }
    while (*text) {
        size_t length = strcspn(text, ",");
        DP_TRY(parse_setting(net, text, length, values, error));
        text += length + (text[length] == ',');
    }
    return DEEPER_OK;
}

/* What the text says is what was built: a network too shallow for auxiliary heads has none. */
static void settle(const dp_net *net, const dp_graph *graph, dp_net_values *values) {
    int heads = 0;
    for (int i = 0; i < graph->count; i++)
        heads += graph->nodes[i].head != DP_HEAD_MAIN;
    for (int i = 0; i < DP_NET_OPTIONS && net->options[i].name; i++)
        if (strcmp(net->options[i].name, "aux") == 0)
            values->choice[i] = heads > 0;
}

static void print_settings(const dp_net *net, const dp_net_values *values, dp_buffer *text) {
    for (int i = 0; i < DP_NET_OPTIONS && net->options[i].name; i++) {
        dp_buffer_printf(text, "%s%s=", i ? "," : "", net->options[i].name);
        char number[32];
        dp_number_print(number, sizeof number, values->number[i]);
        if (net->options[i].choices)
            print_choice(text, net->options[i].choices, values->choice[i]);
        else
            dp_buffer_printf(text, "%s", number);
    }
}

deeper_status dp_net_spec_with(char *text, size_t size, const char *spec, const char *option,
                               const char *value, deeper_error *error) {
    size_t length = strcspn(spec, ":");
    const dp_net *net = find_net(spec, length, error);
    if (!net)
        return DEEPER_ERROR_ARGUMENT;
    dp_net_values values;
    DP_TRY(parse_settings(net, spec[length] ? spec + length + 1 : "", &values, error));
    int i = 0, written;
    while (i < DP_NET_OPTIONS && net->options[i].name && strcmp(net->options[i].name, option) != 0)
        i++;
    if (i == DP_NET_OPTIONS || !net->options[i].name || values.set[i])
        written = snprintf(text, size, "%s", spec);
    else
        written = snprintf(text, size, "%s%c%s=%s", spec, spec[length] ? ',' : ':', option, value);
    return written < (int)size
               ? DEEPER_OK
               : dp_fail(error, DEEPER_ERROR_LIMIT, "%s: its options are too long", net->name);
}

/* The shapes of a network fit one another, so what does not fit is a window into a picture that has
 * become too small for it. */
static deeper_status check_built(const dp_net *net, const dp_graph *graph, dp_net_size size,
                                 deeper_error *error) {
    deeper_error failure = { 0 };
    deeper_status status = dp_graph_status(graph, &failure);
    if (status == DEEPER_ERROR_MISMATCH)
        return dp_fail(error, status, "%s: pictures of %d pixels are too small, %s (%s)", net->name,
                       size.image_size, net->remedy, failure.message);
    return dp_graph_status(graph, error);
}

deeper_status dp_net_build(dp_graph *graph, const char *spec, dp_net_size size, char **architecture,
                           char **options, deeper_error *error) {
    size_t length = strcspn(spec, ":");
    const dp_net *net = find_net(spec, length, error);
    if (!net)
        return DEEPER_ERROR_ARGUMENT;
    if (size.classes < 1 || size.classes > MAX_CLASSES)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s: %d classes; 1 to %d are possible",
                       net->name, size.classes, MAX_CLASSES);
    if (size.image_size < 1 || size.image_size > MAX_IMAGE_SIZE)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "%s: an image size of %d; 1 to %d are possible", net->name, size.image_size,
                       MAX_IMAGE_SIZE);
    dp_net_values values;
    DP_TRY(parse_settings(net, spec[length] ? spec + length + 1 : "", &values, error));
    net->build(graph, &values, size);
    DP_TRY(check_built(net, graph, size, error));
    settle(net, graph, &values);

    dp_buffer text;
    dp_buffer_init(&text, graph->allocator, MAX_TEXT);
    print_settings(net, &values, &text);
    *architecture = dp_strdup(graph->allocator, net->name);
    *options = text.failed ? NULL : dp_strdup(graph->allocator, text.data ? text.data : "");
    dp_buffer_free(&text);
    if (*architecture && *options)
        return DEEPER_OK;
    dp_free(graph->allocator, *architecture);
    dp_free(graph->allocator, *options);
    *architecture = *options = NULL;
    return dp_fail_memory(error, "the name of a network");
}

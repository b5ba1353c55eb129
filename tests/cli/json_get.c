/* json_get.c - for the tests of --json: reads JSON lines from stdin, each of which must be one
 * valid object, and prints a line a line with the values at the given places ("top.0.id"), tabs
 * between. A place that is missing is printed as "none". With the one word --keys: the names of all
 * members, at any depth, a line each. */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const json_t *find(const json_t *value, const char *place) {
    char key[64];
    while (value && *place) {
        size_t length = strcspn(place, ".");
        snprintf(key, sizeof key, "%.*s", (int)length, place);
        value = json_is_array(value) ? json_array_get(value, strtoul(key, NULL, 10))
                                     : json_object_get(value, key);
        place += length + (place[length] == '.');
    }
    return value;
}

static void print(const json_t *value) {
    if (!value) {
        fputs("none", stdout);
    } else if (json_is_string(value)) {
        fputs(json_string_value(value), stdout);
    } else if (json_is_array(value)) {
        printf("[%zu]", json_array_size(value));
    } else {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
        fputs(text ? text : "?", stdout);
        free(text);
    }
}

static void print_keys(json_t *value) {
    const char *key;
    size_t index;
    json_t *inner;
    json_object_foreach(value, key, inner) {
        puts(key);
        print_keys(inner);
    }
    json_array_foreach(value, index, inner) print_keys(inner);
}

int main(int count, char **words) {
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    while ((length = getline(&line, &capacity, stdin)) > 0) {
        json_error_t error;
        json_t *object = json_loadb(line, (size_t)length, 0, &error);
        if (!json_is_object(object)) {
            fprintf(stderr, "not a JSON object: %s(%s)\n", line, error.text);
            return 1;
        }
        const bool keys = count == 2 && !strcmp(words[1], "--keys");
        if (keys)
            print_keys(object);
        for (int i = 1; i < count && !keys; i++) {
            print(find(object, words[i]));
            putchar(i + 1 < count ? '\t' : '\n');
        }
        json_decref(object);
    }
    free(line);
    return 0;
}

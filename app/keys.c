/* keys.c - see keys.h. */
#include "keys.h"

static const struct {
    const char *name, *unit, *about;
} rows[] = {
#define ROW(name_, unit_, about_) [KEY_##name_] = { #name_, unit_, about_ },
    APP_KEYS(ROW)
#undef ROW
};

const char *app_key_name(app_key key) {
    return rows[key].name;
}

const char *app_key_unit(app_key key) {
    return rows[key].unit;
}

const char *app_key_about(app_key key) {
    return rows[key].about;
}

/* hints.h - which command or option mends what the library found at fault: the library does not
 * know how its calls are offered. A hint belongs to a status and to the field of the library's
 * options that the message begins with. */
#ifndef CLI_HINTS_H
#define CLI_HINTS_H

#include <deeper/deeper.h>

/* " ('deeper tune')", to be put after the message; "" where there is nothing to add. */
const char *cli_hint(const deeper_error *error);

#endif

/* hints.h - which command or option does what a message of the library advises: the library does
 * not know how its calls are offered. */
#ifndef CLI_HINTS_H
#define CLI_HINTS_H

/* " ('deeper tune')", to be put after a message; "" where there is nothing to add. */
const char *cli_hint(const char *message);

#endif

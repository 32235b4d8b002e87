/* What the parts of shape share: exact figures about memory a program holds. */
#ifndef SHAPE_H
#define SHAPE_H

#include "leaker.h"

/* One range whose figures the program knows because it made them so. */
struct holding {
    const char *class;
    const void *start;
    size_t reserved;
    size_t committed; /* what counts towards the commit charge (`ac` in VmFlags) */
    size_t touched;   /* pages present that are not the zero page */
    bool exact;       /* false: touched is the least it can be */
};

/* Writes the holdings as a JSON array into a buffer that the next call reuses. */
const char *json(const struct holding *holdings, size_t count);

extern size_t page;
void write_pages(void *start, size_t bytes);
void read_pages(const void *start, size_t bytes);

/* Anonymous memory between two guard pages: never merged with a neighbour, so
 * that it is one line of /proc/PID/maps. */
void *map_apart(size_t bytes);

/* Splits an anonymous region into that many mappings, each two pages long with
 * its first page written. */
void split_into_mappings(long count);

void many_threads(struct args args);
void own_stacks(struct args args);
void guard_install(struct args args);
void classes(struct args args);

#endif

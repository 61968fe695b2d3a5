/* sha1.h - SHA-1 of a message that fits one block, for the nodes of the search tree.
 *
 * The tree is defined by it (uts_bench.c); for anything to be kept secret it is broken.
 * Source: FIPS 180-4.
 */
#ifndef BENCH_SHA1_H
#define BENCH_SHA1_H

#include <stddef.h>
#include <stdint.h>

#define SHA1_BYTES      20
#define SHA1_MOST_BYTES 55 /* of a message: a block holds its end and its length too */

/** sha1_short - the digest of a message of at most SHA1_MOST_BYTES. It may lie where the
 * message does. */
void sha1_short(uint8_t digest[SHA1_BYTES], const void *message, size_t bytes);

#endif

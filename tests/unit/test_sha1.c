/* test_sha1.c - the benchmark's SHA-1, by the vectors of FIPS 180 and the tree's root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../../bench/sha1.h"

static void expect(const void *message, size_t bytes, const char *hexadecimal)
{
    uint8_t digest[SHA1_BYTES];
    char text[2 * SHA1_BYTES + 1];

    sha1_short(digest, message, bytes);
    for (size_t i = 0; i < SHA1_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(text, hexadecimal);
}

static void test_published_vectors_come_out(void **state)
{
    (void)state;
    expect("", 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    expect("abc", 3, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

static void test_a_node_and_the_longest_message_come_out(void **state)
{
    uint8_t message[SHA1_MOST_BYTES] = {[19] = 42};

    (void)state;
    expect(message, 20, "a11dabbcec7aab309c890ab3dbc256eaeb582782");
    expect(message, 24, "3568fd4d11ef785635c6c22407f6811a6617d441");
    memset(message, 'a', sizeof message);
    expect(message, sizeof message, "c1c8bbdc22796e28c0e15163d20899b65621d65a");
}

static void test_the_digest_may_lie_over_the_message(void **state)
{
    uint8_t text[SHA1_BYTES] = "abc";
    uint8_t digest[SHA1_BYTES];

    (void)state;
    sha1_short(digest, text, 3);
    sha1_short(text, text, 3);
    assert_memory_equal(text, digest, SHA1_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_vectors_come_out),
        cmocka_unit_test(test_a_node_and_the_longest_message_come_out),
        cmocka_unit_test(test_the_digest_may_lie_over_the_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

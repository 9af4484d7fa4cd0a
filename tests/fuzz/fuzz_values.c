/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, booleans and times: what is written reads back as itself, and what is read can be
 * written. */
#include <stdbool.h>

#include "base/civil_time.h"
#include "base/parse.h"
#include "cost/decimal.h"
#include "fuzz.h"

static void check_decimal(const char *text, size_t length)
{
    decimal value, again;
    char written[DECIMAL_TEXT_MAX];
    if (decimal_parse(text, length, &value) != DECIMAL_OK)
        return;
    FUZZ_CHECK(value < DECIMAL_READ_LIMIT && value > -DECIMAL_READ_LIMIT);
    size_t written_length = decimal_format(value, written);
    FUZZ_CHECK(written_length == strlen(written) && written_length < DECIMAL_TEXT_MAX);
    FUZZ_CHECK(decimal_parse(written, written_length, &again) == DECIMAL_OK && again == value);
    (void)decimal_format_cents(value, written);
    if (value != 0)
        FUZZ_CHECK(decimal_divide(value, value) == DECIMAL_ONE);
    FUZZ_CHECK(!decimal_multiply(value, DECIMAL_ONE, &again) || again == value);
}

static void check_integer(const char *text, size_t length)
{
    int64_t value, again;
    char written[32];
    if (parse_integer(text, length, &value) != PARSE_OK)
        return;
    int written_length = snprintf(written, sizeof(written), "%lld", (long long)value);
    FUZZ_CHECK(parse_integer(written, (size_t)written_length, &again) == PARSE_OK);
    FUZZ_CHECK(again == value);
    if (parse_digits(text, length, INT64_MAX, &again))
        FUZZ_CHECK(again == value);
}

static void check_time(const char *text, size_t length)
{
    int64_t unix_s, again;
    if (!rfc3339_parse(text, length, &unix_s) || unix_s < 0 || unix_s > INT64_C(253402300799))
        return;
    char written[RFC3339_TEXT_MAX];
    rfc3339_format(unix_s, written);
    FUZZ_CHECK(rfc3339_parse(written, strlen(written), &again) && again == unix_s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool is_true;
    char *text = fuzz_copy(data, size, 0);
    check_decimal(text, size);
    check_integer(text, size);
    check_time(text, size);
    if (parse_boolean(text, size, &is_true))
        FUZZ_CHECK(size >= 1 && size <= 5);
    free(text);
    return 0;
}

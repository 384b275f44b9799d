#!/usr/bin/env python3
"""Texts that every JSON parser must accept (y_), must refuse (n_), or may decide about for itself (i_): the kinds
that Nicolas Seriot's "Parsing JSON is a Minefield" sorts them into, with cases of our own for each rule of RFC 8259.

    python3 Fixtures/corpus/json/make.py        writes one file a case, and decided.tsv with our answers to i_

What is decided stands here beside its case: the answer, the value for a lone number (as it is printed again; a `-`
is a number that no double holds), and the reason.
"""

import pathlib

HERE = pathlib.Path(__file__).resolve().parent

ACCEPTED = {
    # Structure
    "root_object": '{"a":1}', "root_array": "[1]", "root_string": '"a"', "root_number": "7",
    "root_negative": "-0.5", "root_true": "true", "root_false": "false", "root_null": "null",
    "root_empty_string": '""', "blanks_around": " \t\r\n[] \t\r\n", "line_feed_behind": "{}\n",
    "blanks_everywhere": '{ "a" : [ 1 , { } , [ ] ] , "b" : null }', "no_blanks": '{"a":[1,{},[]],"b":null}',
    # Arrays
    "array_empty": "[]", "array_of_empty_array": "[[]]", "array_of_empty_string": '[""]',
    "array_blank_inside": "[ ]", "array_mixed": '[null,true,false,0,"",[],{}]', "array_of_one": "[1]",
    "array_blank_before_end": "[1 ]", "array_blank_in_front": " [1]", "array_blank_behind": "[1] ",
    "array_nulls": "[1,null,null,2]", "array_nested": "[[[[[[[[1]]]]]]]]", "array_line_feeds": "[\n1\n,\n2\n]",
    # Objects
    "object_empty": "{}", "object_one": '{"a":"b"}', "object_two": '{"a":1,"b":2}',
    "object_same_key_twice": '{"a":1,"a":2}', "object_same_member_twice": '{"a":1,"a":1}',
    "object_empty_key": '{"":0}', "object_null_in_key": '{"a\\u0000b":1}', "object_escaped_key": '{"\\u0061\\"":1}',
    "object_same_key_in_two_spellings": '{"a":1,"\\u0061":2}', "object_key_beyond_ascii": '{"größe":1}',
    "object_numbers_at_the_ends": '{"least":-1.0e+28,"most":1.0e+28}', "object_long_text": '{"a":"' + "x" * 80 + '"}',
    "object_line_feeds": '{\n"a"\n:\n1\n}', "object_nested": '{"a":{"b":{"c":{}}}}',
    "object_names_like_words": '{"true":null,"null":false}',
    # Numbers
    "number_zero": "[0]", "number_minus_zero": "[-0]", "number_one_digit": "[9]", "number_negative": "[-1]",
    "number_long_negative": "[-9876543210]", "number_fraction": "[1.5]", "number_zero_fraction": "[0.25]",
    "number_trailing_zeros": "[1.500]", "number_exponent": "[1e3]", "number_exponent_upper": "[1E3]",
    "number_exponent_plus": "[1e+3]", "number_exponent_minus": "[1e-3]", "number_exponent_upper_plus": "[1E+3]",
    "number_exponent_upper_minus": "[1E-3]", "number_zero_exponent": "[0e1]", "number_zero_exponent_plus": "[0e+1]",
    "number_fraction_exponent": "[12.5e67]", "number_exponent_leading_zero": "[1e007]", "number_blank_behind": "[4 ]",
    "number_close_to_zero": "[-0." + "0" * 76 + "1]", "number_minus_zero_fraction": "[-0.0]",
    "number_twenty_digits": "[10000000000000000999]", "number_largest_signed": "[9223372036854775807]",
    "number_fifteen_bytes": "[1234567.8901234]", "number_sixteen_bytes": "[12345678.9012345]",
    # Strings: escapes
    "string_each_escape": '["\\"\\\\\\/\\b\\f\\n\\r\\t"]', "string_escaped_backslash_before_quote": '["\\\\"]',
    "string_escaped_u_as_text": '["\\\\u12"]', "string_escaped_quote": '["\\""]', "string_hex_upper": '["\\u00E9"]',
    "string_hex_lower": '["\\u00e9"]', "string_escaped_null": '["\\u0000"]', "string_escaped_control": '["\\u001f"]',
    "string_escaped_delete": '["\\u007f"]', "string_pair": '["\\ud83d\\ude00"]', "string_pair_upper": '["\\uD834\\uDD1E"]',
    "string_two_pairs": '["\\ud801\\udc37\\ud83d\\ude39"]', "string_last_pair": '["\\udbff\\udfff"]',
    "string_escaped_noncharacter_ffff": '["\\uffff"]', "string_escaped_noncharacter_fdd0": '["\\ufdd0"]',
    "string_escaped_noncharacter_pair": '["\\ud83f\\udffe"]', "string_escaped_separators": '["\\u2028\\u2029"]',
    "string_escaped_byte_order_mark": '["\\ufeff"]', "string_three_escapes": '["\\u0060\\u012a\\u12ab"]',
    "string_escape_at_byte_sixteen": '["' + "x" * 14 + '\\n"]', "string_zero_width": '["\\u200b\\u2064"]',
    # Strings: text as it is
    "string_plain": '["abc 123"]', "string_one_byte": '["a"]', "string_two_bytes": '["é"]', "string_three_bytes": '["€"]',
    "string_four_bytes": '["😀"]', "string_last_scalar": '["\U0010ffff"]', "string_first_of_three": '["\u0800"]',
    "string_first_of_four": '["\U00010000"]', "string_below_surrogates": '["\ud7ff"]',
    "string_above_surrogates": '["\ue000"]', "string_noncharacter": '["\uffff"]', "string_delete": '["\x7f"]',
    "string_line_separator": '["\u2028"]', "string_paragraph_separator": '["\u2029"]', "string_slashes": '["a/*b*/c/d//e"]',
    "string_like_structure": '["{[:,]}"]', "string_no_break_space": '["\u00a0"]', "string_byte_order_mark_inside": '["\ufeff"]',
    "string_ends_at_byte_sixteen": '["' + "x" * 13 + '"]', "string_ends_at_byte_seventeen": '["' + "x" * 14 + '"]',
    "string_right_to_left": '["שלום"]', "string_combining": '["e\u0301"]',
}

REFUSED = {
    # Structure
    "nothing": "", "only_a_blank": " ", "only_line_feed": "\n", "two_values": "[1][2]", "two_objects": "{}{}",
    "value_behind_a_blank": "{} 1", "comma_behind": "{},", "comma_in_front": ",{}", "closed_twice_object": '{"a":1}}',
    "closed_twice_array": "[1]]", "lone_open_brace": "{", "lone_open_bracket": "[", "lone_close_brace": "}",
    "lone_close_bracket": "]", "lone_comma": ",", "lone_colon": ":", "lone_quote": '"', "lone_minus": "-",
    "lone_backslash": "\\", "lone_escape": "\\n", "word": "nope", "capital_word": "Null", "capital_true": "TRUE",
    "truncated_true": "tru", "truncated_false": "fals", "truncated_null": "nul", "long_true": "truee",
    "words_run_on": "[truefalse]", "null_byte": "\0", "null_byte_behind": "[]\0", "null_byte_between": "[1,\0 2]",
    "form_feed_as_blank": "[\f]", "vertical_tab_as_blank": "[1,\v2]", "no_break_space_as_blank": "[\u00a01]",
    "word_joiner_as_blank": "[\u2060]", "separator_as_blank": "[\u20281]", "byte_order_mark_alone": "\ufeff",
    "comment": "{/**/}", "comment_behind": '{"a":1}//', "comment_unclosed": '{"a":1}/*', "comment_hash": "{} # b",
    "single_angle": "<null>", "angle_dot": "<.>", "tag": "<a/>", "array_closed_by_brace": "[1}", "object_closed_by_bracket": '{"a":1]',
    "capitals_like_inf": "Infinity", "capitals_like_nan": "NaN", "single_digit_and_text": "1a", "at": "@", "star": "*",
    "open_array_string": '["a', "open_object_string": '{"a', "open_object_comma": "{,", "open_array_comma": "[,",
    "open_object_array": "{[", "open_array_object": "[{", "arrays_never_closed": "[" * 40_000,
    "objects_in_arrays_never_closed": '[{"":' * 10_000, "ends_in_key": '{"a"', "ends_in_colon": '{"a":',
    "ends_in_value": '{"a":1', "ends_in_comma": '{"a":1,', "ends_in_array_comma": "[1,",
    # Arrays
    "array_no_comma": "[1 true]", "array_trailing_comma": "[1,]", "array_two_commas": "[1,,2]",
    "array_comma_first": "[,1]", "array_two_trailing_commas": "[1,,]", "array_only_comma": "[,]", "array_colon": '["a":1]',
    "array_unclosed": '["a"', "array_unclosed_number": "[1", "array_unclosed_line_feed": "[1\n,1\n,1",
    "array_inner_unclosed": "[[1]", "array_text_behind": "[1]x", "array_star": "[*]", "array_semicolon": "[1;2]",
    "array_bare_minus": "[-]", "array_of_word_cut": "[nul]", "array_inner_comma": "[[1],,[2]]",
    # Objects
    "object_no_colon": '{"a" 1}', "object_comma_for_colon": '{"a",1}', "object_two_colons": '{"a"::1}',
    "object_no_value": '{"a":}', "object_only_key": '{"a"}', "object_bare_key": "{a:1}", "object_single_quotes": "{'a':1}",
    "object_number_key": "{1:1}", "object_null_key": "{null:null}", "object_trailing_comma": '{"a":1,}',
    "object_two_trailing_commas": '{"a":1,,}', "object_two_commas": '{"a":1,,"b":2}', "object_comma_first": '{,"a":1}',
    "object_bracket_key": '{["a"]:1}', "object_emoji_key": "{😀}", "object_semicolon": '{"a":1;"b":2}',
    "object_text_behind": '{"a":1}x', "object_hash_behind": '{"a":1}#', "object_equals": '{"a"=1}',
    "object_missing_comma": '{"a":1 "b":2}', "object_key_only_behind_comma": '{"a":1,"b"}', "object_value_word": '{"a":b}',
    "object_unclosed_key": '{"a:1}', "object_key_bad_escape": '{"\\x":1}', "object_key_control": '{"a\tb":1}',
    # Numbers
    "number_plus": "[+1]", "number_two_plus": "[++1]", "number_two_minus": "[--1]", "number_minus_plus": "[-+1]",
    "number_leading_zero": "[01]", "number_leading_zeros": "[-012]", "number_double_zero": "[00]", "number_zero_zero_fraction": "[00.5]",
    "number_point_first": "[.5]", "number_minus_point": "[-.5]", "number_point_last": "[1.]", "number_minus_point_last": "[-2.]",
    "number_zero_point": "[0.]", "number_zero_point_exponent": "[0.e1]", "number_point_exponent": "[2.e3]",
    "number_point_minus": "[1.-2]", "number_two_points": "[1.2.3]", "number_exponent_bare": "[1e]", "number_exponent_bare_upper": "[1E]",
    "number_exponent_plus_bare": "[1e+]", "number_exponent_minus_bare": "[1.5e-]", "number_zero_exponent_bare": "[0e]",
    "number_exponent_fraction": "[1e2.5]", "number_two_exponents": "[1e2e3]", "number_exponent_two_signs": "[1e+-2]",
    "number_fraction_exponent_bare": "[0.3e]", "number_exponent_first": "[e5]", "number_hex": "[0x1A]", "number_hex_letter": "[0x]",
    "number_infinity": "[Infinity]", "number_minus_infinity": "[-Infinity]", "number_nan": "[NaN]", "number_minus_nan": "[-NaN]",
    "number_inf": "[inf]", "number_blank_behind_minus": "[- 1]", "number_blank_inside": "[1 000]", "number_comma_decimal": "[1,5,]",
    "number_underscore": "[1_000]", "number_letter_behind": "[1f]", "number_letter_inside": "[1a2]", "number_letter_behind_minus": "[-a]",
    "number_full_width_digit": "[１]", "number_expression": "[1+2]", "number_octal": "[0o7]", "number_null_byte": "[1\0]",
    "number_blank_before_exponent": "[1 e3]", "number_long_point_last": "[12345678901234567890.]",
    "number_sixteen_bytes_bad": "[123456789012345.]", "number_suffix_i64": "[1i64]", "number_quoted_half": '[1"]',
    # Strings
    "string_unclosed": '["a]', "string_unclosed_escape": '["a\\"]', "string_single_quotes": "['a']", "string_bare": "[a]",
    "string_text_behind": '"a"b', "string_control_01": '["\x01"]', "string_control_1f": '["\x1f"]', "string_tab": '["\t"]',
    "string_line_feed": '["a\nb"]', "string_return": '["a\rb"]', "string_null": '["a\0b"]',
    "string_control_at_byte_sixteen": '["' + "x" * 15 + '\x02"]', "string_backslash_null": '["\\\0"]',
    "string_escape_x": '["\\x41"]', "string_escape_a": '["\\a"]', "string_escape_capital": '["\\N"]', "string_escape_blank": '["\\ "]',
    "string_escape_digit": '["\\0"]', "string_escape_quote_single": "[\"\\'\"]", "string_escape_emoji": '["\\😀"]',
    "string_escape_line_feed": '["\\\n"]', "string_escape_capital_u": '["\\U0041"]', "string_u_bare": '["\\u"]',
    "string_u_one": '["\\u1"]', "string_u_two": '["\\u12"]', "string_u_three": '["\\u123"]', "string_u_letter": '["\\u00g0"]',
    "string_u_braces": '["\\u{41}"]', "string_u_minus": '["\\u-041"]', "string_u_blank": '["\\u 041"]',
    "string_pair_cut": '["\\ud83d\\ude"]', "string_pair_cut_u": '["\\ud83d\\u"]', "string_pair_bad_escape": '["\\ud83d\\x"]',
    "string_backtick": "[`a`]", "string_typographic_quotes": "[“a”]", "string_joined": '["a" "b"]', "string_added": '["a"+"b"]',
}

# Bytes that are no UTF-8 outside of a string, where nothing but ASCII may stand.
REFUSED_BYTES = {
    "byte_ff": b"[\xff]", "byte_behind_word": b"[tru\xe9]", "byte_in_number": b"[1\xe5]", "byte_in_exponent": b"[1e1\xe5]",
    "byte_for_key": b"{\xc3}", "byte_alone": b"\xe9", "byte_behind": b"{}\xff", "half_byte_order_mark": b"\xef\xbb{}",
}

UTF8 = "RFC 8259 section 8.1: texts that are exchanged are UTF-8; what is not has no characters"
HALF = "half a surrogate pair has no UTF-8 form, and RFC 8259 section 8.2 calls its effects unpredictable"
WIDE = "valid JSON; no double holds it: a record is rejected where the value is asked for, else it passes as it is"
NEAR = "valid JSON; rounded to the nearest double, as everywhere"

DECIDED = {
    "number_beyond_double": ("[1e400]", "accept", "-", WIDE),
    "number_beyond_double_negative": ("[-1E400]", "accept", "-", WIDE),
    "number_beyond_double_digits": ("[" + "9" * 400 + "]", "accept", "-", WIDE),
    "number_huge_exponent": ("[0.5e00669999999999999999]", "accept", "-", WIDE),
    "number_huge_negative_exponent": ("[12e-10000000000000000000]", "accept", "0.0", NEAR),
    "number_underflow": ("[-1e-400]", "accept", "-0.0", NEAR),
    "number_denormal": ("[4.9e-324]", "accept", "5e-324", NEAR),
    "number_half_of_the_least": ("[2.4703282292062327e-324]", "accept", "0.0", NEAR),
    "number_largest_double": ("[1.7976931348623158e308]", "accept", "1.7976931348623157e+308", NEAR),
    "number_unsigned": ("[18446744073709551615]", "accept", "18446744073709551615", "integers to 2^64 - 1 are exact"),
    "number_below_signed": ("[-9223372036854775809]", "accept", "-9.223372036854776e+18", NEAR),
    "number_beyond_unsigned": ("[18446744073709551616]", "accept", "1.8446744073709552e+19", NEAR),
    "number_thirty_digits": ("[123456789012345678901234567890]", "accept", "1.2345678901234568e+29", NEAR),
    "number_many_decimals": ("[0.1" + "0" * 300 + "1]", "accept", "0.1", NEAR),
    "number_minus_zero_alone": ("[-0]", "accept", "-0.0", "the sign of zero is kept, so it is a double"),
    "string_high_surrogate_alone": ('["\\ud800"]', "reject", "", HALF),
    "string_low_surrogate_alone": ('["\\udc00"]', "reject", "", HALF),
    "string_high_before_text": ('["\\ud800abc"]', "reject", "", HALF),
    "string_high_before_escape": ('["\\ud800\\n"]', "reject", "", HALF),
    "string_two_high": ('["\\ud800\\ud800"]', "reject", "", HALF),
    "string_pair_swapped": ('["\\udd1e\\ud834"]', "reject", "", HALF),
    "string_high_before_scalar": ('["\\ud800\\u0061"]', "reject", "", HALF),
    "string_high_before_pair": ('["\\ud800\\ud83d\\ude00"]', "reject", "", HALF),
    "object_key_lone_surrogate": ('{"\\udfaa":0}', "reject", "", HALF),
    "string_lone_byte": (b'["\xff"]', "reject", "", UTF8), "string_latin_1": (b'["\xe9"]', "reject", "", UTF8),
    "string_continuation_alone": (b'["\x81"]', "reject", "", UTF8),
    "string_overlong_two": (b'["\xc0\xaf"]', "reject", "", UTF8),
    "string_overlong_three": (b'["\xe0\x80\xaf"]', "reject", "", UTF8),
    "string_overlong_six": (b'["\xfc\x83\xbf\xbf\xbf\xbf"]', "reject", "", UTF8),
    "string_surrogate_in_utf8": (b'["\xed\xa0\x80"]', "reject", "", UTF8),
    "string_beyond_unicode": (b'["\xf4\x90\x80\x80"]', "reject", "", UTF8),
    "string_cut_scalar": (b'["\xe0\xff"]', "reject", "", UTF8),
    "string_scalar_cut_by_the_quote": (b'["\xe2\x82"]', "reject", "", UTF8),
    "object_key_not_utf8": (b'{"\xe9":1}', "reject", "", UTF8),
    "utf16_little_endian": ('["é"]'.encode("utf-16"), "reject", "", UTF8),
    "utf16_little_endian_no_mark": ('["é"]'.encode("utf-16-le"), "reject", "", UTF8),
    "utf16_big_endian_no_mark": ('["é"]'.encode("utf-16-be"), "reject", "", UTF8),
    "utf32_little_endian": ('["é"]'.encode("utf-32"), "reject", "", UTF8),
    "byte_order_mark_object": ("\ufeff{}", "reject", "", "a mark belongs to a stream: skipped at its start, once, an error elsewhere"),
    "byte_order_mark_behind": ("{}\ufeff", "reject", "", "a mark belongs to a stream: skipped at its start, once, an error elsewhere"),
    "nested_511": ("[" * 511 + "]" * 511, "accept", "", "up to 512 levels, the record around the value being one"),
    "nested_513": ("[" * 513 + "]" * 513, "reject", "", "more than 512 levels"),
    "nested_objects_513": ('{"a":' * 513 + "1" + "}" * 513, "reject", "", "more than 512 levels"),
}


def encoded(text):
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


def main():
    for old in HERE.glob("[yni]_*.json"):
        old.unlink()
    cases = {f"y_{name}": text for name, text in ACCEPTED.items()}
    cases |= {f"n_{name}": text for name, text in (REFUSED | REFUSED_BYTES).items()}
    cases |= {f"i_{name}": case[0] for name, case in DECIDED.items()}
    for name, text in cases.items():
        (HERE / f"{name}.json").write_bytes(encoded(text))
    rows = [f"i_{name}\t{answer}\t{value}\t{why}\n" for name, (_, answer, value, why) in DECIDED.items()]
    (HERE / "decided.tsv").write_text("case\tanswer\tvalue\twhy\n" + "".join(rows))
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()

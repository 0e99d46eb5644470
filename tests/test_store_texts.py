"""The store of texts: kept whole over power cuts, damage found and named."""

import binascii

import pytest
from store_rig import after_each_cut, output, store_board

LOOK = """
from firmware.hal import texts
for id in texts.ids():
    try:
        print(id, len(texts.get(id)), texts.get(id)[:1])
    except Exception as error:
        print(id, error.code, error.text)
"""


def sealed(text):
    content = text.encode() if isinstance(text, str) else text
    return content + b"#crc32 %08x\n" % binascii.crc32(content)


def run(main, data=None):
    return output(store_board("from firmware.hal import permit, texts\n" + main, data))


def refused(call, data=None, before=""):
    """The code and text with which a call is refused."""
    lines = run(
        f"{before}\ntry:\n    {call}\nexcept Exception as no:\n    print(no.code, no.text)",
        data,
    )
    assert len(lines) == 1, lines
    code, _, text = lines[0].partition(" ")
    return int(code), text


def test_texts_come_back_after_a_power_cycle():
    board = store_board(
        "from firmware.hal import texts\nprint(texts.ids())\n"
        "texts.put('A-1', 'r\\u00e9sum\\u00e9\\n')\ntexts.put('b', '')\n"
        "print(texts.ids(), repr(texts.get('A-1')), repr(texts.get('b')))"
    )
    assert output(board) == ["[]", "['A-1', 'b'] 'résumé\\n' ''"]
    board.power_off()
    assert output(board)[0] == "['A-1', 'b']"


@pytest.mark.parametrize("size", [1, 500, 1500])
@pytest.mark.parametrize("old", [0, 1500])
def test_a_power_cut_at_any_write_leaves_the_old_text_or_the_new(size, old):
    before = "from firmware.hal import texts\ntexts.put('other', 'o')\n"
    if old:
        before += f"texts.put('mine', {old} * 'a')"
    seen = after_each_cut(
        f"from firmware.hal import texts\ntexts.put('mine', {size} * 'b')", LOOK, before
    )
    first = [f"mine {old} a"] if old else []
    last = [f"mine {size} b"]
    assert len(seen) >= 4
    assert all(lines in ([*first, "other 1 o"], [*last, "other 1 o"]) for lines in seen), seen
    assert seen[0] == [*first, "other 1 o"]
    assert seen[-1] == [*last, "other 1 o"]


def test_a_power_cut_in_the_very_first_write_leaves_a_store_that_works():
    look = LOOK + "\ntexts.put('next', 'n')\nprint(texts.get('next'))"
    seen = after_each_cut("from firmware.hal import texts\ntexts.put('a', 'b')", look)
    assert len(seen) >= 5  # two folders, two commits of the file, the rename, and uncut
    assert all(lines in (["n"], ["a 1 b", "n"]) for lines in seen), seen


def test_a_power_cut_while_removing_leaves_it_or_not():
    seen = after_each_cut(
        "from firmware.hal import texts\ntexts.remove('a')",
        LOOK,
        "from firmware.hal import texts\ntexts.put('a', 'b')",
    )
    assert seen == [["a 1 b"], []]


@pytest.mark.parametrize("bit", [0, 3, 80, 81, 150, 151, 263])
def test_a_damaged_text_is_named_and_never_given_out(bit):
    content = bytearray(sealed("0123456789abcdefX"))
    content[bit // 8] ^= 1 << bit % 8
    data = {"programs/BAD": bytes(content), "programs/good": sealed("fine")}
    assert refused("texts.get('BAD')", data) == (-230, "BAD is damaged: CRC-32 does not fit")
    assert run("print(texts.get('good'), texts.damaged())", data) == [
        "fine [('BAD', 'CRC-32 does not fit')]"
    ]


@pytest.mark.parametrize("length", range(0, 20, 3))
def test_a_text_cut_short_is_damaged(length):
    code, text = refused("texts.get('BAD')", {"programs/BAD": sealed("abcdef")[:length]})
    assert code == -230 and "BAD is damaged" in text


@pytest.mark.parametrize("id", ["", "a" * 13, "a/b", "../x", "a b", "ä", "a.new"])
def test_an_id_is_letters_digits_dash_and_underscore(id):
    code, text = refused(f"texts.put({id!r}, 'x')")
    assert code == -224 and "id" in text


def test_too_long_a_text_is_refused():
    assert refused("texts.put('a', 2049 * 'x')") == (-223, "text of 2049 bytes above 2048")
    assert run("texts.put('a', 2048 * 'x')\nprint(len(texts.get('a')))") == ["2048"]


def test_48_texts_fit_and_the_49th_is_refused_but_may_replace_one():
    fill = "for i in range(48):\n    texts.put(f't{i}', 1500 * 'x')"
    assert refused("texts.put('more', 'x')", before=fill) == (-320, "48 texts are stored already")
    assert run(fill + "\ntexts.put('t7', 'y')\nprint(texts.get('t7'), len(texts.ids()))") == [
        "y 48"
    ]


def test_what_is_not_there_is_refused():
    assert refused("texts.get('none')") == (-224, "no text none")
    assert refused("texts.remove('none')") == (-224, "no text none")


@pytest.mark.parametrize("call", ["texts.put('a', 'x')", "texts.remove('a')"])
def test_nothing_is_written_while_the_guard_says_no(call):
    before = "texts.put('a', 'old')\npermit.guard(lambda: 'not while armed')"
    assert refused(call, before=before) == (-221, "not while armed")
    assert run(
        f"{before}\ntry:\n    {call}\nexcept Exception:\n    pass\nprint(texts.get('a'))"
    ) == ["old"]
    assert run(f"{before}\npermit.guard(lambda: None)\n{call}\nprint(texts.ids())")

"""HTML to lines: what is kept, how it looks, and what is left out."""

from doer.computers.text.markup import read_html
from doer.records.document import Document

URL = "http://shop.test/list/page.html"


def read(html: str) -> Document:
    return read_html(html, URL).document


def lines(html: str) -> list[str]:
    return list(read(html).lines)


def test_headings_become_sections_with_their_level_and_line():
    document = read("<h1>Top</h1><p>Text<h3>Below <b>it</b></h3>")
    assert document.lines == ("# Top", "Text", "", "### Below it")
    assert [(s.line, s.level, s.title) for s in document.sections] == [
        (1, 1, "Top"),
        (4, 3, "Below it"),
    ]


def test_lists_keep_their_nesting_and_numbers():
    html = (
        "<ul><li>one<ul><li>in<p>more</ul><li><p>two</ul><ol start=3><li>c<li value=9>i<li>j</ol>"
    )
    assert lines(html) == ["- one", "  - in", "    more", "- two", "3. c", "9. i", "10. j"]


def test_cells_stand_in_their_columns_below_the_header():
    html = """<table><caption>Prices</caption><thead><tr><th>Item<th>Price<th>Left</thead>
    <tr><td rowspan=2>Tea<td>2 €<td>5<tr><td colspan=2>sold | out</table>"""
    assert lines(html) == [
        "Prices",
        "Item | Price | Left",
        "--- | --- | ---",
        "Tea | 2 € | 5",
        "Tea | sold \\| out |",
    ]


def test_a_cell_over_several_rows_stands_in_each_of_them():
    html = "<table><tr><td rowspan=3>a<td>1<tr><td>2<tr><td>3<tr><td>b<td>4</table>"
    assert lines(html) == ["a | 1", "a | 2", "a | 3", "b | 4"]


def test_a_table_for_layout_is_laid_out_as_what_it_holds():
    html = """<table><tr><td><h2>Left</h2><td><table><tr><td>a<td>b</table></table>
    <table><tr><td class=linenos><pre>1\n2</pre><td><pre>x\n y</pre></table>"""
    assert lines(html) == ["## Left", "a | b", "```", "x", " y", "```"]


def test_code_is_kept_to_the_character():
    code = "def f(x):\n\treturn  x  # 【1†no link】\n\n    y\n"
    html = f"<pre><code class='language-python'><span class=lineno>1</span>{code}</code></pre>"
    assert lines(html)[0] == "```python"
    assert "\n".join(lines(html)[1:-1]) == code.rstrip("\n").replace("【", "〖").replace("】", "〗")


def test_a_listing_of_files_keeps_its_links():
    html = "<pre><a href='a.txt'>a.txt</a>   5 kB\n<a href='b/'>b/</a>\n</pre>"
    assert lines(html) == ["```", "【1†a.txt】   5 kB", "【2†b/】", "```"]


def test_links_are_numbered_by_address_and_name_another_host():
    document = read("<a href=x>Here</a>, <a href='//b.test/'> there </a>. <a href=x#y>again</a>")
    assert document.lines == ("【1†Here】, 【2†there†b.test】 . 【3†again】",)
    assert [link.url for link in document.links] == [
        "http://shop.test/list/x",
        "http://b.test/",
        "http://shop.test/list/x#y",
    ]


def test_a_link_within_the_page_knows_its_line():
    document = read("<a href='#end'>To the end</a><p>x</p><div><h2 id=end>End</h2></div>")
    assert document.lines[document.links[0].line - 1] == "## End"


def test_a_link_around_blocks_keeps_them_apart():
    assert lines("<a href=/c><h3>Card</h3><p>About it</p></a>") == ["### 【1†Card】", "About it"]


def test_a_long_menu_goes_to_the_end_and_is_pointed_at():
    items = "".join(f"<li><a href=/{i}>item {i}</a>" for i in range(6))
    got = lines(f"<nav aria-label=Main><ul>{items}</ul></nav><p>Text</p>")
    assert got[:3] == ['[menu "Main", 6 links, at L4]', "Text", ""]
    assert got[3].startswith("【1†item 0】 · 【2†item 1】")
    assert got[3].endswith("【6†item 5】")


def test_a_short_menu_stays():
    assert lines("<nav><a href=/a>A</a> <a href=/b>B</a></nav><p>x") == ["【1†A】 【2†B】", "x"]


def test_controls_say_role_name_value_and_state_and_never_a_secret():
    document = read(
        """<form action=/in method=post><label for=u>User</label><input id=u name=user required>
        <label>Pass <input type=password value=hunter2 name=p></label>
        <input name=card autocomplete=cc-number value=4242 aria-label=Card>
        <label><input type=checkbox name=ok checked> I agree</label>
        <input type=hidden name=t value=z>
        <select name=size><option>S<option selected>M</select><textarea name=n>a\nb</textarea>
        <button>Go <b>now</b></button></form>"""
    )
    text = " ".join(document.lines)
    assert text == (
        '[form 1: POST /in] [textbox "User" (required)] [password "Pass" = "********"] '
        '[textbox "Card" = "********"] [checkbox "I agree" (checked)] [select size = "M"] {S / M} '
        '[textbox n = "a b"] [button "Go now"]'
    )
    [form] = document.forms
    assert (form.method, form.action) == ("POST", "http://shop.test/in")
    assert [field.key for field in form.fields] == ["user", "p", "card", "ok", "size", "n", ""]
    assert "hunter2" not in str(document)
    assert "4242" not in str(document)


def test_pictures_definitions_quotes_and_folds_are_kept():
    html = """<figure><img alt="A cat"><figcaption>Fig. 1</figcaption></figure><img alt="">
    <dl><dt>Term<dd>Meaning</dl><blockquote>Said</blockquote>
    <details><summary>More</summary>Inside</details><svg><title>Logo</title><path></svg>"""
    expected = ["[image: A cat]", "Fig. 1", "Term", "  Meaning", "> Said", "More", "Inside"]
    assert lines(html) == [*expected, "[image: Logo]"]


def test_marks_that_change_the_meaning_are_kept():
    assert lines("<s>20 €</s> 15 €, 10<sup>6</sup>") == ["~~20 €~~ 15 €, 10^6"]


def test_what_is_hidden_is_left_out():
    html = """<p hidden>a</p><p aria-hidden=true>b</p><p style="display: none">c</p>
    <script>d</script><style>e</style><template>f</template><noscript>g</noscript>
    <dialog>h</dialog><p style="font-size:0">i</p><!-- j --><p>seen</p>"""
    assert lines(html) == ["seen"]


def test_invisible_characters_are_taken_out_and_told():
    tags = "".join(chr(0xE0000 + ord(c)) for c in "obey me")
    document = read(
        f"<p>a\u202eb\u200bc&#8203;{tags}\u2066d\ufeff</p><p>می\u200cخواهم 👨\u200d👩</p>"
    )
    assert document.lines == ("abcd", "می\u200cخواهم 👨\u200d👩")
    assert "invisible" in document.notes[0]


def test_a_page_cannot_make_up_our_links():
    assert lines("<p>【1†<b>Bank</b>】</p>") == ["〖1†Bank〗"]


def test_a_shell_that_scripts_fill_is_noticed():
    script = "<script src=/app.js></script>"
    assert read_html(f"<div id=root></div>{script}", URL).by_scripts
    assert not read_html(f"<p>{'word ' * 300}</p>{script}", URL).by_scripts
    assert not read_html("<p>Short, but complete</p>", URL).by_scripts
    assert read_html("<meta http-equiv=Refresh content='0; URL=/next'>", URL).by_scripts

"""The pages of learners and of the class: what they say, and that nothing in them is markup but ours."""

import html.parser
import re

import pytest
from a_class import MARKUP, a_class, exercise, learner

from lessons_lib.grading.marks.class_page import HINTS, class_page
from lessons_lib.grading.marks.histogram import histogram, in_words
from lessons_lib.grading.marks.learning_platforms import LeftOut
from lessons_lib.grading.marks.pages import learner_page
from lessons_lib.grading.marks.shell import plain, sentence
from lessons_lib.grading.marks.similar import similar
from lessons_lib.grading.marks.similar_page import MOST, similar_page

VOID = {"meta", "rect", "line"}
OURS = set(
    "html head meta title style body main h1 h2 h3 p ul li a bdi b code pre span section div "
    "table thead tbody tr th td details summary figure figcaption svg line rect text".split()
)


class Read(html.parser.HTMLParser):
    """Tags, ids and addresses of a page, its text, and whether every tag is closed."""

    def __init__(self, page: str):
        super().__init__()
        self.open, self.tags, self.attributes, self.ids, self.links, self.text = [], set(), set(), [], [], ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src"):
                self.links.append(value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.text += data


def of_class(learners, left_out=()) -> str:
    pages = {one.key: f"learners/{i}.html" for i, one in enumerate(learners)}
    return class_page(learners, "A course", pages, {"gradebook.csv": "the gradebook"}, left_out)


def hostile():
    answers = {"q1": "\n".join(f"y{i} = f({i}, {MARKUP!r}, [x + {i} for x in z if x > {i}])" for i in range(9))}
    return [
        learner(
            MARKUP + key,
            exercise("01_" + MARKUP, 1, hint=MARKUP, notes=(MARKUP,), answers=answers),
            name=MARKUP + key,
            email=MARKUP,
            number=MARKUP,
        )
        for key in ("a", "b")
    ]


def hostile_pages() -> dict[str, str]:
    learners = hostile()
    pages = {one.key: '"><b>.html' for one in learners}
    pairs = similar(learners)
    assert len(pairs) == 1
    return {
        "learner": learner_page(learners[0], MARKUP),
        "class": class_page(learners, MARKUP, pages, {MARKUP: MARKUP}, [LeftOut(MARKUP, learners[0], MARKUP)]),
        "similar": similar_page(pairs, MARKUP, pages),
    }


@pytest.mark.parametrize("kind", ["learner", "class", "similar"])
def test_markup_is_shown_as_text(kind):
    page = hostile_pages()[kind]
    read = Read(page)
    assert read.tags <= OURS
    assert not [name for name in read.attributes if name.startswith("on")]
    assert "script" not in read.tags
    assert MARKUP in read.text
    assert page.count("<title") == 1 + page.count("<svg")


@pytest.mark.parametrize("kind", ["learner", "class", "similar"])
def test_a_page_needs_no_network_and_no_script(kind):
    page = {"learner": learner_page(a_class()[1], "A course"), "class": of_class(a_class())}.get(kind)
    page = page or similar_page([], "A course", {})
    read = Read(page)
    assert not re.search(r"https?:|//|url\(|@import|<script|\bon\w+=", page)
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport" content="width=device-width' in page
    assert len(read.ids) == len(set(read.ids))
    assert all(not link.startswith("#") or link[1:] in read.ids for link in read.links)


def test_a_learner_reads_points_steps_and_hint():
    text = Read(learner_page(a_class()[1], "A course")).text
    assert "6 of 12 points" in text
    assert "Exercise 1: build attention, 4 of 6 points" in text
    assert "q2: title of q2, 1 of 3 points" in text
    assert "✗failed: all of it (2 points)" in text
    assert "✓passed: it runs\n" in text
    assert "→ scores of the wrong shape" in text


def test_a_question_has_the_colour_of_its_points():
    one = learner("ana", exercise("01_x", 3, 1, None))
    assert re.findall(r'class="question (\w+)"', learner_page(one, "A course")) == ["good", "poor", "absent"]


def test_a_learner_reads_what_was_not_handed_in():
    text = Read(learner_page(a_class()[2], "A course")).text
    assert "1 of 12 points; 3 questions not handed in" in text
    assert re.search(r"Exercise 2: build queries, keys and values\s*not handed in", text)
    assert "0 of 6 points" not in text
    assert "·not reached: it is right" in text


def test_a_learner_reads_nothing_about_others_and_no_notes():
    ana, *others = a_class()
    noted = exercise("01_self_attention", 3, 3, notes=("for the instructor",))
    page = learner_page(learner("ana", noted), "A course")
    assert "for the instructor" not in page
    page = learner_page(ana, "A course")
    assert not [one.name for one in others if one.name and one.name in page]
    assert [link for link in Read(page).links if not link.startswith("#")] == []


def test_a_hint_shows_code():
    assert sentence("`mask` & <b> of `x`") == "<code>mask</code> &amp; &lt;b&gt; of <code>x</code>"
    assert plain("a\0\x1b[31m\u202eb\udc80\n") == "a��[31m�b�\n"


def test_the_class_reads_where_it_stands():
    text = Read(of_class(a_class())).text
    assert "4 learners, on average 4.8 of 12 points; 7 of 16 answers not handed in." in text
    assert re.search(r"Learners with least.*dot.*cem.*Ben.*Questions with least", text, re.DOTALL)
    assert "Ana" not in text.partition("Questions with least")[0]  # she has all points


def test_the_class_reads_who_is_stuck_where():
    text = Read(of_class(a_class())).text
    assert "Ben ben6 of 1201 q2, 2 q1, 2 q2\n" in text.replace("\xa0", " ")
    rows = re.findall(r"(\d q\d): title of q\d(\d+) %(\d of \d)", text)
    assert rows == [
        ("2 q2", "50", "1 of 2"),
        ("1 q2", "67", "1 of 2"),
        ("1 q1", "78", "2 of 3"),
        ("2 q1", "83", "1 of 2"),
    ]


def test_the_class_reads_the_commonest_hints_with_counts():
    people = [learner(f"l{i}", exercise("01_x", 1, hint=f"hint {'a' if i else 'b'}")) for i in range(3)]
    text = Read(of_class([*people, *(learner("z", exercise("01_x", None)),)])).text
    assert re.findall(r"1 q1(\d)(hint \w)", text) == [("2", "hint a"), ("1", "hint b")]
    assert "not handed in" not in text.partition("Commonest hints")[2].partition("Points of each")[0]
    many = [learner(f"l{i:02}", exercise("01_x", 1, hint=f"hint {i:02}.")) for i in range(HINTS + 3)]
    text = Read(of_class(many)).text
    assert text.count("hint 19.") == 1
    assert "hint 20." not in text
    assert "And 3 other hints." in text


def test_a_histogram_says_in_words_what_it_shows():
    picture = histogram([3, 3, 0, None], 3, "h1")
    assert 'role="img" aria-labelledby="h1"' in picture
    words = "2 learners with 3 points, 1 learner with 0 points, 1 learner without an answer"
    assert f'<title id="h1">{words}</title>' in picture
    assert in_words([]) == "no learners"
    heights = [float(one) for one in re.findall(r'<rect[^>]* height="([\d.]+)"', picture)]
    assert heights == [heights[0], heights[0], 2 * heights[0]]
    assert re.findall(r">([\w]+)</text>", picture) == ["1", "none", "1", "0", "1", "2", "2", "3"]
    assert of_class(a_class()).count('role="img"') == 4


def test_a_histogram_of_many_points_stays_legible():
    picture = histogram([20, 7], 20, "h1")
    assert re.findall(r">([\w]+)</text>", picture) == ["none", "0", "5", "1", "10", "15", "1", "20"]


def test_the_class_reads_notes_and_who_is_in_no_import_file():
    one = learner("ana", exercise("01_x", 1, notes=("cell 7 cannot be read",)))
    page = of_class([one], [LeftOut("canvas.csv", one, "no email")])
    assert "ana, Exercise 1: x: cell 7 cannot be read" in Read(page).text
    assert "1 learner not in an import file" in Read(page).text
    assert "To look at" not in of_class(a_class())


def test_the_class_page_links_every_learner():
    links = Read(of_class(a_class())).links
    assert {f"learners/{i}.html" for i in range(4)} | {"gradebook.csv"} == set(links)


def test_a_class_with_all_points_is_said():
    text = Read(of_class([learner("ana", exercise("01_x", 3))])).text
    assert "Every learner has all points." in text
    assert "Nobody got a hint." in text


def test_alike_is_no_verdict_and_says_its_threshold():
    text = Read(similar_page([], "A course", {})).text
    for words in ("information, not a verdict", "at least 80 %", "at least 6 of these", "No two answers are alike"):
        assert words in text


def test_alike_is_told_first_where_it_is_often():
    learners = hostile()
    (pair,) = similar(learners)
    pages = {one.key: "x.html" for one in learners}
    assert "More than once" not in similar_page([pair], "A course", pages)
    assert Read(similar_page([pair, pair], "A course", pages)).text.count("more than once") == 1
    page = similar_page([pair] * (MOST + 1), "A course", pages)
    assert f"{MOST + 1} pairs; the {MOST} with most in common are shown." in page
    assert page.count('class="pair"') == MOST

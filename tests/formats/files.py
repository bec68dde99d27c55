"""Small files in the outside formats, as plain values to be written as JSON."""

import json

from annotation.formats.recognise import recognise


def crucial(number=7, turns=2, **annotation):
    """Return one record of the crucial-step file; every id is made from `number`."""
    return {
        "id": number,
        "conversations": [
            {
                "round": turn,
                "prompt": f"Question {turn} of {number}?",
                "prompt_images": [f"images/{number}-p.png" if turn == 1 else ""],
                "prompt_uuid": f"q{number}-{turn}",
                "response": f"Answer {turn} of {number}: <Image, view {turn}>",
                "response_images": [f"images/{number}-{turn}.png"],
                "response_uuid": f"a{number}-{turn}",
            }
            for turn in range(1, turns + 1)
        ],
        "annotation": {
            "crucial_step_recognition": 3,
            "reason_crucial_step_recognition": f"From step 1 to step {turns}, all good.",
            **annotation,
        },
    }


def scored(turns=2):
    """Return one record of the score file."""
    return {
        "conversations": [
            {
                "round": 0,
                "annotations": {
                    "context_awareness": 3,
                    "helpfulness": 2,
                    "crucial_step_recognition": 2,
                    "reason_crucial_step_recognition": "Steps are unclear.",
                    "global_image_text_consistency": 1,
                    "style_coherence": -1,
                },
            },
            *(
                {
                    "round": turn,
                    "round_conversations": {
                        "prompt": f"How {turn}?",
                        "prompt_images": [],
                        "response": f"So {turn}.",
                        "response_images": [f"images/s{turn}.png"],
                        "prompt_uuid": f"sq{turn}",
                        "response_uuid": f"sa{turn}",
                    },
                    "annotations": {
                        "local_image_text_consistency": turn % 4,
                        "reason_local_image_text_consistency": f"Local {turn}.",
                        "visual_perceptual_quality": 3,
                        "reason_visual_perceptual_quality": f"Visual {turn}.",
                        "text_quality": 3,
                        "context_coherence": 2,
                    },
                }
                for turn in range(1, turns + 1)
            ),
        ]
    }


def pair(**verdicts):
    """Return one record of a pair-comparison file."""
    return {
        "front_convs": [{"round": 1, "prompt": "Hello?", "response": "Yes."}],
        "paired_convs": {
            "round": 2,
            "prompt": "Which?",
            "response_1": "This.",
            "response_2": "That <Image, that>.",
            "response_2_images": ["images/that.png"],
        },
        **verdicts,
    }


def tree():
    """Return one tree of our own format: two answers, one of them followed two ways."""
    return {
        "format": "intermt-annotate/1",
        "id": "tree-1",
        "task": "Travel",
        "source": "ours",
        "language": "en",
        "marks": ["sensitive"],
        "prompt": {
            "id": "q1",
            "text": "Plan a day.",
            "images": ["map.png"],
            "responses": [
                {
                    "id": "a1",
                    "text": "Museum <Image, hall> and park.",
                    "images": [{"path": "hall.png", "caption": "the great hall"}],
                    "model": "model-x",
                    "sampling": {"temperature": 0.7},
                    "scores": {"text_quality": {"score": 3, "reason": "Clear."}},
                    "end": True,
                    "path_scores": {"helpfulness": 2},
                    "prompts": [
                        {"id": "q2", "text": "And then?", "responses": ["Home.", {"text": "Sea."}]},
                        {
                            "id": "q3",
                            "text": "Cheaper?",
                            "responses": [{"id": "a3", "text": "No."}],
                        },
                    ],
                },
                {"id": "a2", "text": "Rest.", "images": [None]},
            ],
        },
        "preferences": [
            {"first": "a1", "second": "a2", "level": "turn", "outcome": "first", "strength": 2},
            {
                "first": "a3",
                "second": "a2",
                "level": "conversation",
                "outcome": "tie",
                "dimension": "helpfulness",
            },
        ],
    }


def written(folder, value, name="file.json"):
    """Write `value` as JSON and return the path."""
    path = folder / name
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def entries_of(path, name="auto"):
    return list(recognise(path, name=name).entries())

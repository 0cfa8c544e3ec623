"""What the tests of several sampling engines use."""

import torch

from agents.policy.next_tokens import next_tokens


def prompts_of(policy, *texts):
    return [policy.render([{"role": "user", "content": text}]) for text in texts]


@torch.no_grad()
def largest_difference(policy, prompts, groups, parameters):
    """Between the responses' log-probs and those of the trainer's forward pass, cut to the nucleus."""
    prompts = [prompt for prompt, group in zip(prompts, groups, strict=True) for _ in group]
    responses = [response for group in groups for response in group]
    logits = next_tokens(policy, prompts, [response.token_ids for response in responses]).logits()
    logprobs = (logits / parameters.temperature).log_softmax(-1)
    if parameters.top_p < 1:
        ordered, order = logprobs.sort(-1, descending=True)
        before = ordered.exp().cumsum(-1) - ordered.exp()
        ordered = ordered.masked_fill(before >= parameters.top_p, -torch.inf).log_softmax(-1)
        logprobs = logprobs.scatter(-1, order, ordered)
    token_ids = torch.tensor([token for response in responses for token in response.token_ids])
    expected = logprobs.gather(-1, token_ids[:, None]).squeeze(-1)
    return float((expected - torch.tensor([value for r in responses for value in r.logprobs])).abs().max())


def disturb(policy):
    """Change the weights that are trained."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in policy.model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))

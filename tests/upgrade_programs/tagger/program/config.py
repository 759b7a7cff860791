"""What the tagger is built of."""


class Config(object):
    dim_word = 5
    dim_char = 3
    hidden_size = [4, 3]
    num_proj = 3
    ntags = 4
    nwords = 10
    nchars = 8
    dropout = 0.5
    lr = 0.1
    clip = 1.0

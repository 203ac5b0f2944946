from mnist_core.concepts import convolution
from pages.parts.concepts import convolution_panel
from pages.parts.session import current_data
from pages.parts.shell import frame, texts
from pages.parts.widgets import code_box

KERNEL, MAPS, SIDE = 5, 16, 28

frame.header("convolution")
convolution_panel.show(current_data.dataset())

outputs = MAPS * convolution.output_side(SIDE, KERNEL, 1, 0) ** 2
texts.show(
    "convolution",
    "parameters",
    kernel=KERNEL,
    maps=MAPS,
    side=SIDE,
    pixels=SIDE**2,
    outputs=outputs,
    convolution=convolution.convolution_parameters(KERNEL, 1, MAPS),
    linear=convolution.linear_parameters(SIDE**2, outputs),
)
texts.show("convolution", "learnt")
code_box.code(convolution.convolution_in_torch, convolution.convolution_in_numpy)
code_box.code(convolution.max_pool_in_torch, convolution.max_pool_in_numpy, folded=True)
frame.footer("convolution")

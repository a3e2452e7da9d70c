# needs: tensorflow
import tensorflow as tf

w = tf.Variable(0.5)
b = tf.Variable(1.0)
x, y = 3.0, 1.0

with tf.GradientTape() as tape:
    error = w * x + b - y
    loss = error * error

gradient_w, gradient_b = tape.gradient(loss, [w, b])
print("dL/dw =", float(gradient_w), " dL/db =", float(gradient_b))
